"""The page as it is printed, with its comments."""
