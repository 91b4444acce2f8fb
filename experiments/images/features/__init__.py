"""Images compared in a space of features: extractors, scores, and rows that refuse what cannot be compared."""
