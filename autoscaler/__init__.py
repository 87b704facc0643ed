"""A foreground controller that keeps a twelve-factor process formation at the size its load needs."""

__version__ = "0.1.0"
