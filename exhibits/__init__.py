"""The exhibits: published systems as described and as they should be, one folder each."""
