"""The suite's samplers where people use them: diffusers, k-diffusion and azula, one module a
library.

Each takes the steps of `ams.samplers` with a library's network, at the noise levels of `programs`.
"""
