"""Training: splits that respect time, tuning, baselines, and runs that say how a model was made."""
