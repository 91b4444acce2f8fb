"""Prediction-correction (Pedrotti, Maas, Mondelli, arXiv 2305.14164): Langevin with a wrong
score, at a fixed time.
"""
