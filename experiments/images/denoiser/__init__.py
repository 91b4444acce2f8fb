"""MNIST with a pretrained DDPM network."""
