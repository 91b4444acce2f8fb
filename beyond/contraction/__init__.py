"""H1 to H4: constant momentum on strongly log-concave targets, contraction and distances with
all constants.
"""
