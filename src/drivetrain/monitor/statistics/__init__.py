"""How far apart two distributions are, a file a statistic; and what chance alone does to each."""
