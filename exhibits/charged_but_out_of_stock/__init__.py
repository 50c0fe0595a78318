"""A checkout in which payment and inventory hear the same event, and one in which a saga undoes the charge."""
