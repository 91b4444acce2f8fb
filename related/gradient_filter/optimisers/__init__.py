"""SGDF (Yao et al., arXiv 2311.02818), a filter on gradients, as an optimiser: its gain, and its
steps.
"""
