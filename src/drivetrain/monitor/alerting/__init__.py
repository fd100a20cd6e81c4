"""Alerts: rules as code, from broken to told to resolved; who is told, and whether it was worth telling."""
