"""Algorithms of other autoscalers as policies, to compare ours with."""
