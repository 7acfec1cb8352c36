"""Skeletons, parametric bodies, templates and the control image."""
