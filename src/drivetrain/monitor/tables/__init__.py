"""Tables and feature views, watched without an endpoint."""
