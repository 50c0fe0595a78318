"""Measuring: what a run's times say, on which machine, and how sure one may be."""
