"""A Wiener filter on the score (Yao et al., arXiv 2311.02818), by exact laws."""
