"""Traces: recorded runs of the authors' code, and how closely the suite's samplers replay them."""
