"""Adapters, one file a library: `names()` lists its samplers, `load(name, settings)` returns one."""
