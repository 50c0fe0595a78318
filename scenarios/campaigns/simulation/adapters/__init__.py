"""Production adapters under virtual time: machine (processes), network (between them), network_loop, calls (of blocking code), clients, world."""
