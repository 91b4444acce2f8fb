"""Real digits with their exact score."""
