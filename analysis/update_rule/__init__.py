"""The update rule as the authors' code has it: R1 to R5 and P3, by algebra on the sampler's
steps and by exact laws.
"""
