"""Groups of rows, window by window: protected ones, and the model's slices."""
