"""Related work that is stated and not run: image reconstruction (N4)."""
