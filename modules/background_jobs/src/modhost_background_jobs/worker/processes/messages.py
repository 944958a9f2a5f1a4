"""Messages between a worker and the process of its jobs: JSON in frames, nothing pickled."""

import struct
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from modhost_background_jobs.model import ClaimedJob, Lease, LogLine, ProgressUpdate
from modhost_background_jobs.model.steps import Checkpoint
from modhost_background_jobs.worker.attempts.attempt import StopReason
from modhost_background_jobs.worker.attempts.outcome import Outcome

HEAD: Final = struct.Struct(">I")
"""What precedes each frame: its length in bytes."""


@dataclass(frozen=True, slots=True)
class Run:
    """To the process: run this attempt."""

    claimed: ClaimedJob
    kind: Literal["run"] = "run"


@dataclass(frozen=True, slots=True)
class Stop:
    """To the process: ask the attempt to stop."""

    lease: Lease
    reason: StopReason
    kind: Literal["stop"] = "stop"


@dataclass(frozen=True, slots=True)
class Leave:
    """To the process: close what is open, and exit."""

    kind: Literal["leave"] = "leave"


@dataclass(frozen=True, slots=True)
class Ready:
    """From the process: the host is built."""

    kind: Literal["ready"] = "ready"


@dataclass(frozen=True, slots=True)
class NotReady:
    """From the process: the host cannot be built."""

    error: str
    kind: Literal["not ready"] = "not ready"


@dataclass(frozen=True, slots=True)
class Begun:
    """From the process: the attempt has arrived, and begins now."""

    kind: Literal["begun"] = "begun"


@dataclass(frozen=True, slots=True)
class Progress:
    """From the process: the attempt reports progress."""

    update: ProgressUpdate
    kind: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True)
class Log:
    """From the process: the attempt writes to its log."""

    line: LogLine
    kind: Literal["log"] = "log"


@dataclass(frozen=True, slots=True)
class Reached:
    """From the process: the attempt notes how far it has come."""

    checkpoint: Checkpoint
    kind: Literal["reached"] = "reached"


@dataclass(frozen=True, slots=True)
class Ending:
    """From the process: the attempt is about to end its job itself."""

    kind: Literal["ending"] = "ending"


@dataclass(frozen=True, slots=True)
class Noted:
    """To the process: the worker knows that the attempt is about to end its job itself."""

    kind: Literal["noted"] = "noted"


@dataclass(frozen=True, slots=True)
class Done:
    """From the process: the attempt has finished, and what that means for its job."""

    outcome: Outcome
    kind: Literal["done"] = "done"


Message: TypeAlias = (
    Run | Stop | Leave | Ready | NotReady | Begun | Progress | Log | Reached | Ending | Noted | Done
)

_MESSAGE: Final[TypeAdapter[Message]] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def encode(message: Message) -> bytes:
    """Return the frame of a message."""
    return framed(_MESSAGE.dump_json(message))


def decode(body: bytes) -> Message:
    """Return the message in the body of a frame."""
    return _MESSAGE.validate_json(body)


def framed(body: bytes) -> bytes:
    """Return a frame."""
    return HEAD.pack(len(body)) + body
