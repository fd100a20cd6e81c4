"""How much a model's figures fall when its inputs are worse than they were."""
