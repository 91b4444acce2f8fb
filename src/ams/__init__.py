"""The mathematics of the adaptive momentum sampler (arXiv 2405.13726): steps, targets, exact laws,
metrics, statistics.

`ams.targets` has distributions with exact scores. `ams.schedules` has noise levels and processes.
`ams.samplers` has each sampler's step, written once, and the loop that runs it. `ams.laws` runs the
steps on Gaussian coefficients, densities or symbols instead of samples. `ams.metrics` has
distances, `ams.statistics` intervals and planned tests. `ams.data` has the registry of files,
`ams.traces` recorded runs of the authors' code. `samplercheck` tests any library's sampler by exact
laws, `ams.integrations` offers the samplers to other libraries.
"""

__version__ = "0.1.0"
