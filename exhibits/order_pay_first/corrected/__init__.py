"""The corrected edition: the order saga, with the payment first."""
