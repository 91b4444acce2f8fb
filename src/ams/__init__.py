"""The mathematics of score-based sampling with adaptive momentum (arXiv 2405.13726).

The map of the package: `ams.targets` (exact scores and densities), `ams.schedules` (noise levels and processes),
`ams.samplers` (each step written once, and the one loop that runs them), `ams.laws` (exact Gaussian distribution and
symbolic transition of those steps), `ams.metrics`, `ams.statistics`, `ams.traces` (replays of the authors' code),
`ams.data` (registry of files). It knows nothing of claims and verdicts.
"""

__version__ = "0.1.0"
