"""Images: samplers on the exact score of real images, where whatever error remains is the sampler's own."""
