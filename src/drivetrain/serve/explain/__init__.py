"""Why a model answered as it did: contributions of features, asked for or sampled into the prediction log."""
