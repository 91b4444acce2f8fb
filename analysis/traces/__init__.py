"""The code here is the released algorithm."""
