"""MNIST with a pretrained VE network: claims I1 to I9."""
