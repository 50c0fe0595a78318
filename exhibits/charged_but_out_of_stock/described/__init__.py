"""The edition as described: both services at once, and no way back."""
