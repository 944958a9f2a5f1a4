"""What can go wrong with users, tokens and logins, in sentences that carry no secret."""

from collections.abc import Sequence
from difflib import get_close_matches


class IdentityError(Exception):
    """Base of all errors about users, roles, tokens and sessions."""


class UnknownGrant(IdentityError):
    """A grant that covers no declared permission."""

    def __init__(self, grant: str, declared: Sequence[str]) -> None:
        remedy = suggestion(grant, declared, "`modhost permissions` lists all.")
        super().__init__(f"No module declares a permission that {grant!r} covers. {remedy}")


class UnknownRole(IdentityError):
    """A role that neither the database nor a permission's `default_roles` know."""

    def __init__(self, role: str, known: Sequence[str]) -> None:
        everything = f"The roles are {', '.join(known)}."
        super().__init__(f"There is no role {role!r}. {suggestion(role, known, everything)}")


class NotYoursToGrant(IdentityError):
    """Somebody tries to give away a right that they do not have."""


class NotYoursToManage(IdentityError):
    """Somebody tries to change a user or role that has more rights than they have."""


class FixedRole(IdentityError):
    """A role, or a part of it, that modules bring and that cannot be changed here."""


class WrongPassword(IdentityError):
    """The current password, asked for to change it, is not that."""

    def __init__(self) -> None:
        super().__init__("The current password is wrong.")


class NameTaken(IdentityError):
    """A user, role or token of that name exists."""


class UnusableName(IdentityError):
    """A name that cannot be given."""


class UnusablePassword(IdentityError):
    """A password that is too short or too long."""


class UnusableExpiry(IdentityError):
    """A lifetime that is over before it begins, or ends after the calendar."""


class TokenNotFound(IdentityError):
    """No token has that id or name."""


class UserNotFound(IdentityError):
    """No user has that name."""


class UserDisabled(IdentityError):
    """The user exists, but may not log in."""


class LoginFailed(IdentityError):
    """The name or the password is wrong; which of the two is nobody's business."""

    def __init__(self) -> None:
        super().__init__("The name or the password is wrong.")


class TooManyFailures(IdentityError):
    """Logins failed so often that the next try has to wait.

    Attributes:
        retry_after: seconds until then, rounded up.
        is_first: whether no other try was refused since the wait began.

    """

    def __init__(self, retry_after: int, *, is_first: bool = False) -> None:
        self.retry_after = retry_after
        self.is_first = is_first
        super().__init__(f"Too many logins have failed; try again in {retry_after} seconds.")


def suggestion(given: str, known: Sequence[str], otherwise: str) -> str:
    """Return a sentence that says what to try instead of a name that is not known."""
    by_key = {name.casefold(): name for name in known}
    near = get_close_matches(given.casefold(), by_key, n=3, cutoff=0.5)
    if not near:
        return otherwise
    return f"Did you mean {' or '.join(by_key[key] for key in near)}?"
