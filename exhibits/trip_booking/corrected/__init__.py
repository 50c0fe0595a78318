"""The corrected edition: the trip saga."""
