"""Reading the rule: R1 to R5 and P3, decided by algebra on the sampler's own steps and by the exact law."""
