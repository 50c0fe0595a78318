"""Exhibits as values: editions, claims, what proves a claim, and what became of it. Reading order: exhibit, files, runs, sweeps, trials, index, document."""
