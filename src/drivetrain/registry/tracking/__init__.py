"""What training that runs elsewhere says of itself: experiments, runs, files, logged models, registered versions."""
