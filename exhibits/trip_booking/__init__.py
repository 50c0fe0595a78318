"""A holiday: hotel, flight and payment are reserved, then confirmed, over the trip saga."""
