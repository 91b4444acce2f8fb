"""Orders of convergence on the mixture, by densities on grids: B6, K5, their accuracy (L1), B5a and B5b."""
