"""The edition as described: a page of its own, and an inventory whose release subtracts."""
