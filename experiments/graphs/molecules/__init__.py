"""Molecules from the authors' checkpoint of QM9: claim V13."""
