"""Prediction-correction on digits with a learned score, at equal cost (N1i, N1j)."""
