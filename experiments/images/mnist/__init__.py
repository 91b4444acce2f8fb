"""MNIST with its exact score."""
