"""What can be wrong with a database; the messages never show a password."""


class DatabaseError(Exception):
    """Base of the errors of the host's database layer."""


class BadDatabaseUrl(DatabaseError, ValueError):
    """The URL is malformed, or names a database that the host cannot use."""


class DatabaseUnreachable(DatabaseError):
    """The database cannot be opened, or does not answer."""
