"""The edition as described: pages of its own over the rows of the order saga."""
