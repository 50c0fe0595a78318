"""The scenarios of the trip saga, one module each."""
