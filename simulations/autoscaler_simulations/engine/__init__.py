"""The production pipeline on a virtual clock, driving plants."""
