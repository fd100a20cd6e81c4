"""How a model's answers fall out for protected groups: rates, how far groups lie apart, what that means."""
