"""The corrected edition: rows, reactions and a page of its own, over the order saga's participants."""
