"""CIFAR-10 at 16 x 16 pixels with the suite's own network: correctors and solvers, each tuned on
other images.
"""
