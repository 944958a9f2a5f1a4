"""Many who guess a password, and its owner beside them."""

from datetime import timedelta

import pytest

from modhost.audit import AuditLog, AuditReader, AuditSearch, Outcome
from modhost.database import Database
from modhost.identity import Visitor
from modhost.identity.access.throttle import Throttle
from modhost.identity.accounts.passwords import Passwords
from modhost.identity.errors import LoginFailed, TooManyFailures
from modhost.identity.login.login import Login, find_visitor
from modhost.identity.tables import User
from modhost.testing import RunningHost
from moving_clock import MovingClock
from security.support import PASSWORD, add_user

pytestmark = pytest.mark.anyio


async def test_ten_thousand_guesses_get_the_attacker_a_handful_of_tries(
    host: RunningHost, clock: MovingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One guess a second from as many addresses as they like, for nearly three hours."""
    await add_user(host, "vera")
    async with host.scope() as scope:
        passwords = CountingPasswords()
        login = Login(
            await scope.get(Database),
            clock,
            passwords,
            Throttle(clock),
            await scope.get(AuditLog),
        )
        async with (await scope.get(Database)).reading() as session:
            found = await find_visitor(session, "vera", "", clock.now())

        async def remembered(*_: object) -> tuple[User | None, bool]:
            return found  # the database would answer alike ten thousand times

        monkeypatch.setattr("modhost.identity.login.login.find_visitor", remembered)
        refused = 0
        for number in range(10_000):
            address = Visitor(f"10.{number // 65536}.{number // 256 % 256}.{number % 256}")
            try:
                await login.with_password("vera", f"guess {number}", address)
            except TooManyFailures:
                refused += 1
            except LoginFailed:
                pass
            clock.advance(timedelta(seconds=1))
        assert passwords.compared < 10_000 / 60 + 20
        assert refused == 10_000 - passwords.compared
        clock.advance(timedelta(minutes=1))
        passwords.right = True
        assert await login.with_password("vera", PASSWORD, Visitor("192.0.2.1"))
        entries = await (await scope.get(AuditReader)).newest(AuditSearch(action="login"), 500)
        refusals = [each for each in entries if each.outcome is Outcome.REFUSED]
        assert len(entries) - len(refusals) == passwords.compared
        assert 0 < len(refusals) <= passwords.compared, "one for each wait, not for each try"


async def test_a_stranger_cannot_keep_the_owner_out_of_where_they_are_at_home(
    host: RunningHost, clock: MovingClock
) -> None:
    await add_user(host, "vera")
    async with host.scope() as scope:
        passwords = CountingPasswords()
        database, audit = await scope.get(Database), await scope.get(AuditLog)
        login = Login(database, clock, passwords, Throttle(clock), audit)
        home, elsewhere = Visitor("2001:db8::1"), Visitor("192.0.2.1")
        passwords.right = True
        assert await login.with_password("vera", PASSWORD, home)
        for number in range(200):
            passwords.right = False
            with pytest.raises((LoginFailed, TooManyFailures)):
                await login.with_password("vera", "guess", Visitor(f"10.0.0.{number % 17}"))
            passwords.right = True
            if number % 20 == 19:
                assert await login.with_password("vera", PASSWORD, Visitor("2001:db8::2"))
            clock.advance(timedelta(seconds=1))
        with pytest.raises(TooManyFailures):
            await login.with_password("vera", PASSWORD, elsewhere)
        passwords.right = False
        for _ in range(5):
            with pytest.raises(LoginFailed):
                await login.with_password("vera", "guess", home)
        with pytest.raises(TooManyFailures):
            await login.with_password("vera", "guess", home)


class CountingPasswords(Passwords):
    """Compares no passwords: ten thousand argon2 hashes would take an hour, which is their use."""

    def __init__(self) -> None:
        super().__init__()
        self.compared = 0
        self.right = False

    async def matches(self, password: str, hashed: str | None) -> bool:
        self.compared += 1
        return self.right

    def is_outdated(self, hashed: str) -> bool:
        return False
