"""What an endpoint was asked, hour by hour, in summaries that merge: a month is added up, not read again."""
