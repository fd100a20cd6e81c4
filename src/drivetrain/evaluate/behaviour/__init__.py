"""What a model must do, whatever its average figures: declared as code, judged on test rows."""
