"""Personal data: found, treated, and left out once its subject was forgotten."""
