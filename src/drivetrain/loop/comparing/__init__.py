"""Months of traffic played by one set of rules and by another: what each costs, and what each is worth."""
