"""Feature views, point-in-time training sets and online reads: one definition, one value, wherever it is asked for."""
