"""Digits with a learned score, the suite's own network: quality against score evaluations; claims Q2 to Q4."""
