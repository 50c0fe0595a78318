"""A saga's folder read against itself, without a run: its rows, its reactions, its state machines, its participants' rules."""
