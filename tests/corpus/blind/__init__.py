"""Samplers of the blind trial, by authors who did not know the kit; see survey/blind.toml."""
