"""Read the configuration file into frozen values, naming every mistake at once."""
