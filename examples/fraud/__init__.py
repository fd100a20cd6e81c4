"""A package only so that mypy can tell this ``world`` from that of another example; nothing imports it."""
