"""MLflow's REST API over what the project keeps: its clients log, register and load as they do everywhere else."""
