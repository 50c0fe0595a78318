"""Bugs that can be planted in the trip saga."""
