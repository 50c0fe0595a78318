"""Known saga bugs, planted on purpose so that the judge can be judged."""
