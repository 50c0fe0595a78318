"""One story per file; index.py lists them."""
