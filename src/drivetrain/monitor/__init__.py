"""What is watched on an endpoint: drift from the training rows, performance on arrived labels, latency; alerts."""
