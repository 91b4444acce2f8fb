"""RunOptions of convergence on the mixture, by exact laws on grids: B6, K5, what the laws are worth (L1), one level of B5.

Each stationary law is the one that the sampler's own step leaves alone; nothing here is sampled but B5b.
"""
