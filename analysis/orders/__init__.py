"""Orders of convergence on the mixture, by exact laws on grids: B6, K5, the accuracy of the laws (L1), B5a and B5b."""
