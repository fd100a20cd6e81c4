"""Features chosen by the machine, once, before anything is tuned: by rows that teach, never by those that judge."""
