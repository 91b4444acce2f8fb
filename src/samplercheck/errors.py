"""What the kit raises by itself, apart from what the code under test raises."""


class NotMade(ValueError):
    """A check that cannot be made of a sampler; the message says why. The report is then inconclusive."""
