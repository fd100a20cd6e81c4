"""The edge: one package a library, each knowing only core, reached by name through :mod:`drivetrain.core.plugins`."""
