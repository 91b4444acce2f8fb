"""Images: samplers on exact scores of real images, on the suite's own networks and on pretrained
ones.
"""
