"""Simulations: the same decisions, offline, on a virtual clock."""
