"""What the paper did not claim: our own samplers, which do not temper the target."""
