"""Choice for business answers, Catch for errors: an order saga of order, inventory and payment."""
