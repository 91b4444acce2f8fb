"""Restoration of colour images by a denoiser that others trained: every sampler of the paper."""
