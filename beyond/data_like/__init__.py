"""J2 to J5: adaptive momentum and its rivals on a mixture that looks like data."""
