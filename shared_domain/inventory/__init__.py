"""The inventory service: holds stock for orders. model (pure rules), store (rows), service."""
