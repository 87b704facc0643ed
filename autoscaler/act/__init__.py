"""Add and remove processes: the backend contract, and one file or folder per backend."""
