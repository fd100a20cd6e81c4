"""Randomised comparisons on live requests: policies, evidence one may look at any time, what bandits learn."""
