"""What jobs of these tests are given, and where they leave their marks."""

import os
from pathlib import Path

from pydantic import BaseModel

from modhost_background_jobs.contracts import (
    ModuleJob,
)

STEP_SECONDS = 0.02


class Act(BaseModel):
    """The data of every job here."""

    name: str = "job"
    seconds: float = 0
    failures: int = 0
    lines: int = 0


class Stage:
    """The folder that jobs and tests share: marks of what happened, and gates that tests open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.marks = folder / "marks"

    def mark(self, event: str, act: Act) -> None:
        """Append a line, whole even when several processes do so at once."""
        with self.marks.open("a") as file:
            file.write(f"{event} {act.name} {os.getpid()}\n")

    def open_gate(self, name: str, process: int) -> None:
        """Let a job pass that waits in one process."""
        self._gate(name, process).touch()

    def is_open(self, name: str) -> bool:
        return self._gate(name, os.getpid()).exists()

    def hold(self, what: str) -> None:
        """Let whoever asks for it wait until it is let go."""
        (self._folder / f"held-{what}").touch()

    def let_go(self, what: str) -> None:
        (self._folder / f"held-{what}").unlink()

    def is_held(self, what: str) -> bool:
        return (self._folder / f"held-{what}").exists()

    def _gate(self, name: str, process: int) -> Path:
        return self._folder / f"gate-{name}-{process}"


class ActingJob(ModuleJob):
    def __init__(self, stage: Stage) -> None:
        self.stage = stage
