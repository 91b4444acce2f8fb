"""Orders of convergence on the mixture, by densities on grids: B6, K5 and B5a."""
