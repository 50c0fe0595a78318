"""Scenarios that every saga has, and how a saga's own scenarios and planted bugs are found: index, bug, bugs."""
