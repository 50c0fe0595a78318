"""One scenario per file; index.py lists them."""
