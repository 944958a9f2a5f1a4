"""What can be wrong with a database; the messages never show a password."""


class DatabaseError(Exception):
    """Base of the errors of the host's database layer."""


class BadDatabaseUrl(DatabaseError, ValueError):
    """The URL is malformed, or names a database that the host cannot use."""


class DatabaseUnreachable(DatabaseError):
    """The database cannot be opened, or does not answer.

    Args:
        message: what it said, as a sentence.
        remedy: what to do about it, as a sentence.

    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class UnreadableValue(DatabaseError, ValueError):
    """Something that only another program can have written: a text where a time should be."""
