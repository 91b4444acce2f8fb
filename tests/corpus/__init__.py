"""Publicly reported bugs of samplers, each restated in code before and after its fix."""
