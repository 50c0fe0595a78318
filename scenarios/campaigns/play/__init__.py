"""The game in which a player is the network: setup, loop, gates, table (one position), level, search (pars and proofs)."""
