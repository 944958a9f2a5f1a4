"""What can go wrong with a provider, in sentences that carry no secret."""


class ProviderUnreachable(Exception):
    """The provider does not answer, or not as its standard says."""


class InvalidToken(Exception):
    """A token that proves nothing here."""
