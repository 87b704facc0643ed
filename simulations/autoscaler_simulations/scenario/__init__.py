"""Scenario files: a load, processes, faults and a configuration under test."""
