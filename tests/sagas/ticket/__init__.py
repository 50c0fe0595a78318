"""A tiny saga for tests: a desk opens a request for a seat, a hall gives one if it has any left."""
