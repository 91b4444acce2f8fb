"""Magnetic resonance images from undersampled k-space with a score prior: Qiao et al. (arXiv
2405.02958), scaled down.

Where this paper meets the main one: the guidance images are made by annealed Langevin, and by the
suite's samplers.
"""
