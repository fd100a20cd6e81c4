"""What a training set says of protected groups before a model learns from it: shares, label rates, what is missing."""
