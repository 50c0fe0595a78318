"""The corrected edition: the order saga, in which the shipment follows the charge."""
