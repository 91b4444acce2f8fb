"""Maintainers' programs: what a user of the suite never needs (README.md names them)."""
