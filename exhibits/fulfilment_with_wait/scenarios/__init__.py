"""What is run in both editions."""
