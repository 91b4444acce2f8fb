"""Digits with the suite's own network: quality against evaluations; claims Q2 to Q4."""
