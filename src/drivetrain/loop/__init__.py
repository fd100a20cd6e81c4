"""Plan, run, watch: composes the stages below into one road; ``Project`` lives here."""
