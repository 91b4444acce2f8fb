"""Theory verification and reproducibility suite for the adaptive momentum sampler (arXiv 2405.13726).

The map of the package: `ams.targets` (exact scores and laws), `ams.schedules` (noise levels and processes),
`ams.samplers` (each step written once, and the one loop that runs them), `ams.laws` (exact Gaussian law and
symbolic transition of those same steps), `ams.metrics`, `ams.statistics`, `ams.ledger` (claims, records,
verdicts), `ams.data` (registry of files). Nothing here imports from `analysis`, `experiments` or `paper`.
"""

__version__ = "0.1.0"
