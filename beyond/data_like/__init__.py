"""J1 to J9: samplers on mixtures that look like data, with exact scores and with scores of known error."""
