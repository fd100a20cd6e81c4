"""Which features move the answers, window by window."""
