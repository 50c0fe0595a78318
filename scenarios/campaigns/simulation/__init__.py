"""Whole runs under virtual time: the same code as on the real stack, and every schedule of it can be had again."""
