"""The shipping service: books parcels, the pivot. model (pure rules), store (rows), service."""
