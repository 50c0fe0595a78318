"""The run types of the published repository, and what breaks its cancels."""
