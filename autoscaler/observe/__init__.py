"""Read load from outside: the source contract, one file per metric source, and the board of newest readings."""
