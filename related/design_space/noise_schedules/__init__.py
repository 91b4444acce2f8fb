"""Noise levels of the variance-exploding sampler (Wang, He and Tao, arXiv 2406.12839): the path
bound and its parts.
"""
