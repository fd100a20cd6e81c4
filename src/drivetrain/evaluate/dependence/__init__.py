"""How a model's answer goes with a feature, on average."""
