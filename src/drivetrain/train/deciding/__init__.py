"""From a score to a decision: calibration, a threshold by cost, intervals and sets, from rows that taught no fit."""
