"""The participants of the order saga, one module each: pure rules, then the rows that they work on."""
