"""Read the configuration file into frozen values, and name every mistake in it.

``loading`` loads a file, ``lookup`` finds it, ``json_schema`` describes it, ``template`` writes one to begin with.
"""

from autoscaler.config.errors import ConfigurationError, Mistake

__all__ = ["ConfigurationError", "Mistake"]
