"""Answer over HTTP: metrics, health and status of the running controller."""
