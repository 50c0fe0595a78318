"""The participants of the trip saga, one module each: pure rules, then the rows that they work on."""
