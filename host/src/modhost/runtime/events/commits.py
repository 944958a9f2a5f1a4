"""What waits for the commit of a session, and is dropped when that does not come."""

from collections.abc import Callable
from typing import Final

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

_KEY: Final = "modhost.after_commit"


def after_commit(session: Session, call: Callable[[], None]) -> None:
    """Call a function once what the session does now is committed; never if it is rolled back."""
    calls = session.info.get(_KEY)
    # Compared, since the info of a session may be that of the one that it was made like.
    if calls is None or calls.session is not session:
        calls = session.info[_KEY] = _Calls(session)
    calls.add(call)


class _Calls:
    """The calls that wait for a session, each with the transaction or savepoint that it is in."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._waiting: list[tuple[SessionTransaction | None, Callable[[], None]]] = []
        event.listen(session, "after_commit", self._committed)
        event.listen(session, "after_transaction_end", self._ended)

    def add(self, call: Callable[[], None]) -> None:
        if not self.session.in_transaction():
            # As a statement would; otherwise a rollback before the first one would go unnoticed.
            self.session.begin()
        self._waiting.append((self._current(), call))

    def _current(self) -> SessionTransaction | None:
        return self.session.get_nested_transaction() or self.session.get_transaction()

    def _committed(self, session: Session) -> None:
        savepoint = session.get_nested_transaction()
        if savepoint is not None:
            # Released, and from now on as safe as what surrounds it.
            self._waiting = [
                (savepoint.parent if within is savepoint else within, call)
                for within, call in self._waiting
            ]
            return
        waiting, self._waiting = self._waiting, []
        for _, call in waiting:
            call()

    def _ended(self, _: Session, transaction: SessionTransaction) -> None:
        self._waiting = [each for each in self._waiting if each[0] is not transaction]
