"""The edition as described: pages and an inventory of its own."""
