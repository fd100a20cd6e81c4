"""What a model costs: to train, to keep, and to ask; and the gates on that, and on the rows it learned from."""
