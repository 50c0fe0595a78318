"""The payment service: charges and refunds. model (pure rules), store (rows), service."""
