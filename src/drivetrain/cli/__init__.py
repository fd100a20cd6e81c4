"""The terminal's door: one file a command, each a thin shell over a method of :class:`Project`."""
