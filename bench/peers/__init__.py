"""What others use instead, each behind the interface of what it is compared with."""
