"""Versions and runs to and from MLflow: a server of somebody else's, and folders that its clients load."""
