"""Checks of the claims, a module a group; the notebooks in `analysis/notebooks` derive and show
them.
"""
