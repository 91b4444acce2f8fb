"""How often the intervals of graph MMDs hold the true value: claim V3."""
