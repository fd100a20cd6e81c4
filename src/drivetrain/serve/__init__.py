"""Inference: requests are checked, features looked up, the engine asked, the answer logged, then given."""
