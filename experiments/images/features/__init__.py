"""Images compared in a space of features: extractors, scores, and and what their scores depend
on.
"""
