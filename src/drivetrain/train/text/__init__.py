"""Texts as features: how they are declared, what is learned of them, and how a model reads them."""
