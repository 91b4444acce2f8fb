"""How much of any result is rounding."""
