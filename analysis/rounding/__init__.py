"""How much of any result is rounding (S2, S3)."""
