"""The composition root: the command line, what it takes from the environment, and suites of runs."""
