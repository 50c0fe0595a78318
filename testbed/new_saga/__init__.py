"""A saga of your own: start with README.md."""
