"""What is on this machine, what of a preset is missing, and what to do next."""
