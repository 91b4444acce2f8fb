"""MNIST with a pretrained VE network: claims I2 to I6."""
