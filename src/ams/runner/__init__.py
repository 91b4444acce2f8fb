"""Running the checks: what is stale, in which order, one at a time, and what the screen says meanwhile."""
