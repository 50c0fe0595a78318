"""The corrected edition: the order saga, with the charge first."""
