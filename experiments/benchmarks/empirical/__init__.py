"""Time: the score of a data set."""
