"""Performance estimated before labels come: what the probabilities turned out to mean, and a model of the losses."""
