"""Two versions of a model, compared: what went into each, how good each is, and whom they answer otherwise and why."""
