"""Benchmarks: checks like any other, measured by `bash reproduce.sh bench` alone, never by pytest."""
