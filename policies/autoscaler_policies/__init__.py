"""Scaling policies that come with the autoscaler, one file each."""
