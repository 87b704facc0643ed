"""Write files for what a user already runs, from the formation as it is configured."""
