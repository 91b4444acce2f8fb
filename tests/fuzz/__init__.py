"""Fuzzing of every parser of files from outside: `python -m tests.fuzz` searches, the tests replay its corpus."""
