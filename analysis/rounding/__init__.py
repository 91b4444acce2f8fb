"""How much of any result is rounding, and whether the steps repeat the authors' recorded runs
(S1, S3).
"""
