"""The styles, one object each: style (what each must give), choreography, orchestration, index (the one registry)."""
