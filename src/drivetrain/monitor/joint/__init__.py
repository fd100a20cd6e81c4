"""Drift of all features together: what each alone does not show."""
