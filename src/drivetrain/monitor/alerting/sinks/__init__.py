"""Who is told: webhooks, Slack, e-mail, PagerDuty; the log is always told."""
