"""What a worker and the process of its jobs say to each other: JSON in frames, nothing pickled."""

import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from modhost_background_jobs.model import ClaimedJob, Ended, Lease, Released
from modhost_background_jobs.worker.attempts.attempt import StopReason

HEAD: Final = struct.Struct(">I")
"""What stands before each frame: its length in bytes."""


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
    """To the process: close what is open, and end."""

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
    """From the process: as `ProgressUpdate`."""

    percentage: int
    message: str | None
    reported_at: datetime
    kind: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True)
class Log:
    """From the process: as `LogLine`."""

    number: int
    logged_at: datetime
    message: str
    kind: Literal["log"] = "log"


@dataclass(frozen=True, slots=True)
class Over:
    """From the process: the attempt has ended, and what that means for its job."""

    outcome: Ended | Released | None
    kind: Literal["over"] = "over"


ToProcess: TypeAlias = Run | Stop | Leave
FromProcess: TypeAlias = Ready | NotReady | Begun | Progress | Log | Over

_TO_PROCESS: Final[TypeAdapter[ToProcess]] = TypeAdapter(
    Annotated[ToProcess, Field(discriminator="kind")]
)
_FROM_PROCESS: Final[TypeAdapter[FromProcess]] = TypeAdapter(
    Annotated[FromProcess, Field(discriminator="kind")]
)


def to_process(message: ToProcess) -> bytes:
    """Return the frame of a message to the process."""
    return framed(_TO_PROCESS.dump_json(message))


def from_process(message: FromProcess) -> bytes:
    """Return the frame of a message from the process."""
    return framed(_FROM_PROCESS.dump_json(message))


def read_to_process(body: bytes) -> ToProcess:
    """Return the message to the process that a frame holds."""
    return _TO_PROCESS.validate_json(body)


def read_from_process(body: bytes) -> FromProcess:
    """Return the message from the process that a frame holds."""
    return _FROM_PROCESS.validate_json(body)


def framed(body: bytes) -> bytes:
    """Return a frame."""
    return HEAD.pack(len(body)) + body
