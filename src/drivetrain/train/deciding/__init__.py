"""From a score to a decision: calibration, a threshold by cost, intervals and sets; learned on rows that taught no fit."""
