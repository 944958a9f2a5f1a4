"""Errors of users, roles, tokens and logins, in sentences without secrets."""

from collections.abc import Sequence
from difflib import get_close_matches


class IdentityError(Exception):
    """Base of all errors about users, roles, tokens and sessions."""


class UnknownGrant(IdentityError):
    """A grant covers no declared permission."""

    def __init__(self, grant: str, declared: Sequence[str]) -> None:
        remedy = suggestion(grant, declared, "`modhost permissions` lists all.")
        super().__init__(f"No module declares a permission that {grant!r} covers. {remedy}")


class UnknownRole(IdentityError):
    """Neither the database nor a permission's `default_roles` know the role."""

    def __init__(self, role: str, known: Sequence[str]) -> None:
        everything = f"The roles are {', '.join(known)}."
        super().__init__(f"There is no role {role!r}. {suggestion(role, known, everything)}")


class NotYoursToGrant(IdentityError):
    """A caller grants a right that they do not have."""


class NotYoursToManage(IdentityError):
    """A caller changes a user, role or token that has more rights than they have."""


class FixedRole(IdentityError):
    """Modules declare the role, or a part of it, and it cannot be changed here."""


class WrongPassword(IdentityError):
    """The current password, required to change it, is wrong."""

    def __init__(self) -> None:
        super().__init__("The current password is wrong.")


class PasswordsDiffer(IdentityError):
    """The new password was not typed the same twice."""

    def __init__(self) -> None:
        super().__init__("The two new passwords differ; type the same twice.")


class NameTaken(IdentityError):
    """A user, role or token of that name exists."""


class UnusableName(IdentityError):
    """The name is empty, too long, not printable, or reserved."""


class UnusablePassword(IdentityError):
    """The password is too short, too long, not printable, or guessed first."""


class UnusableExpiry(IdentityError):
    """The lifetime is not positive, or ends beyond the calendar."""


class TokenNotFound(IdentityError):
    """No token has that id or name."""


class UserNotFound(IdentityError):
    """No user has that name."""


class UserDisabled(IdentityError):
    """The user exists, but may not log in."""


class LoginFailed(IdentityError):
    """The name or the password is wrong; the message does not reveal which."""

    def __init__(self) -> None:
        super().__init__("The name or the password is wrong.")


class TooManyFailures(IdentityError):
    """Logins failed so often that the next attempt has to wait.

    Attributes:
        retry_after: seconds until then, rounded up.
        is_first: whether this is the first attempt refused since the wait began.

    """

    def __init__(self, retry_after: int, *, is_first: bool = False) -> None:
        self.retry_after = retry_after
        self.is_first = is_first
        super().__init__(f"Too many logins have failed; try again in {retry_after} seconds.")


def suggestion(given: str, known: Sequence[str], otherwise: str) -> str:
    """Return a sentence that suggests known names similar to an unknown one."""
    by_key = {name.casefold(): name for name in known}
    near = get_close_matches(given.casefold(), by_key, n=3, cutoff=0.5)
    if not near:
        return otherwise
    return f"Did you mean {' or '.join(by_key[key] for key in near)}?"
