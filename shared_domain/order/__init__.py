"""The order service: opens, confirms and cancels orders. model (pure rules), store (rows), service."""
