"""MNIST with a pretrained DDPM network, asked as a VE score through the common interface; claims I10 and I11."""
