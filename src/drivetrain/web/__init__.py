"""The dashboard and the control API: what a project knows, for people and for programs."""
