"""Real digits with their exact score: 1797 scans of 8 x 8 pixels; claims D1 to D7a."""
