"""Samplers of public libraries, judged by the kit."""
