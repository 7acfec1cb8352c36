"""Masked attention: each person's tokens reach that person's region only."""
