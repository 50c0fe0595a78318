"""The edition as described: cancels that need the answer of what they cancel, and a refund without a trace."""
