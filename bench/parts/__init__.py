"""The kinds of measurement of `saga bench`."""
