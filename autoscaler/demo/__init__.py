"""Run a small formation under a made-up load, to show the autoscaler at work."""
