"""Claims of the four papers that the suite's subject builds on or cites, a folder a paper."""
