"""What arrives at a process type: recorded, generated, rescaled."""
