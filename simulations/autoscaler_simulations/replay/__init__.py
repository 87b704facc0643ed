"""Decide again on what a record observed."""
