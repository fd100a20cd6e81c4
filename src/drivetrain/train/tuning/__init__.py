"""The search for parameters: what a trial comes to, how long it may take, and which one is taken."""
