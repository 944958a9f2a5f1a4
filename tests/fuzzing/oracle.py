"""What holds for every answer, and for the host after it."""

import json
import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from fuzzing.exchange import Answer, Fault, Request

T = TypeVar("T")
ROOT: Final = Path(__file__).resolve().parents[2]
_TRACEBACK: Final = re.compile(rb"Traceback \(most recent|File &?\"?/|site-packages")
_PROBLEM: Final = {"type", "title", "status", "detail"}
# Of what fails outside of the host: jobs, and clients that send half of a request.
_QUIET: Final = ("modhost_background_jobs.worker", "uvicorn.access")


def check_answer(request: Request, answer: Answer) -> None:
    """Raise `Fault` for an answer that no request may get."""
    if answer.status >= 500:
        raise Fault(f"{request.method} {request.path!r} is answered with {answer.status}")
    if answer.status < 200:
        raise Fault(f"the status is {answer.status}")
    if found := _TRACEBACK.search(answer.body) or _own_path(request, answer):
        raise Fault(f"the body shows a part of the program: {found[0]!r}")
    for name, value in answer.headers:
        if re.search(rb"[\r\n\0]", name + value):
            raise Fault(f"the header {name!r} is {value!r}")
    if answer.status >= 400 and request.path.startswith("/api/"):
        _check_problem(request, answer)


def _check_problem(request: Request, answer: Answer) -> None:
    if answer.header("content-type") != "application/problem+json":
        raise Fault(f"the error {answer.status} is of type {answer.header('content-type')!r}")
    if request.method == "HEAD":
        return
    problem = json.loads(answer.body)
    if missing := _PROBLEM - problem.keys():
        raise Fault(f"the problem has no {', '.join(sorted(missing))}")
    if problem["status"] != answer.status:
        raise Fault(f"the problem says {problem['status']}, the answer {answer.status}")


def _own_path(request: Request, answer: Answer) -> re.Match[bytes] | None:
    # An administrator may see where the files of the host are.
    is_shown = request.caller == "admin" and request.path.rstrip("/") == "/admin/system"
    return None if is_shown else re.search(re.escape(bytes(ROOT)), answer.body)


class LoggedErrors(logging.Handler):
    """The errors that the host logs, and everything that it logs with a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record's text."""
        is_failure = record.levelno >= logging.ERROR or record.exc_info
        if is_failure and not record.name.startswith(_QUIET):
            self._lines.append(logging.Formatter().format(record))

    @contextmanager
    def refused(self) -> Iterator[None]:
        """Raise `Fault` at the end for what was logged meanwhile."""
        self._lines.clear()
        yield
        if self._lines:
            raise Fault("the host logged an error:\n" + self._lines[0])


def with_bound(seconds: float, function: Callable[[], T]) -> T:
    """Return what a function returns. Raises `Fault` where it takes longer, once it is through."""
    began = time.process_time()
    result = function()
    if (took := time.process_time() - began) > seconds:
        raise Fault(f"it took {took:.1f} s")
    return result
