"""Training a score by gradient descent on denoising score matching, and what the error that is left
does to samples.

The training half of Wang, He and Tao (arXiv 2406.12839), as small statements that can fail.
"""
