"""Suites: which pictures are made and compared, the runs that make them, and the report."""
