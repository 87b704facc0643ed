"""Run the command line with ``python -m autoscaler``."""

from autoscaler.cli.main import main

main()
