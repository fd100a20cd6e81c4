"""Whether a model errs more than it did, error by error as labels come: three detectors of the literature."""
