"""Which style for one's own case: `case` (what is asked), `figures` (what is known), `criteria`, `answer`, `sensitivity`, `tables`."""
