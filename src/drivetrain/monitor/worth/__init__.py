"""What answers are worth to whoever asked for the model, window by window."""
