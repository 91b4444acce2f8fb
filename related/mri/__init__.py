"""Magnetic resonance images from undersampled k-space: data, networks and training that the
groups share.
"""
