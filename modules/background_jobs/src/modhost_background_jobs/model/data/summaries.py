"""What a job is about in a line: given by its class, masked, and found by its words."""

import json
import logging
import re
from functools import lru_cache
from typing import Any, Final

from modhost_background_jobs.contracts import ModuleJob
from modhost_background_jobs.model.data.job_data import for_job
from modhost_background_jobs.model.data.masking import without_secrets
from modhost_background_jobs.model.data.read_back import read_as

logger = logging.getLogger(__name__)

MAX_LENGTH: Final = 200
_WORD: Final = re.compile(r"\w+")


def summary_of(job: type[ModuleJob], data: Any, stored: str | None) -> str | None:
    """Return the summary of a job; None where its class gives none.

    One that fails costs nobody the job: it has no summary, and the log says so.

    Args:
        job: the class.
        data: what was given, where the job reads it as its own type; otherwise it is read again.
        stored: the data as they are stored.

    """
    if job.summary is ModuleJob.summary:
        return None
    try:
        text = job.summary(_as_read(job.data_model, data, stored))
        return None if text is None else _line(text, stored)
    except Exception as error:  # noqa: BLE001 - it is the module's
        _warn(job, type(error).__name__)
        return None


def words_in(text: str) -> tuple[str, ...]:
    """Return the words of a summary, or of a search for some, each once, in small letters."""
    return tuple(dict.fromkeys(_WORD.findall(text.casefold())))


@lru_cache(maxsize=1024)
def _warn(job: type[ModuleJob], kind: str) -> None:
    """Log once what fails for each job; not the error, which may have secrets of the data in it."""
    name = f"{job.__module__}.{job.__qualname__}"
    logger.warning("The summary of %s failed (%s): its job has none.", name, kind)


def _as_read(model: Any, data: Any, stored: str | None) -> Any:
    if model is not None and type(data) is model:
        return data
    text = "null" if stored is None else for_job(stored)
    return json.loads(text) if model is None else read_as(model, text)


def _line(text: str, stored: str | None) -> str | None:
    if not isinstance(text, str):
        raise TypeError
    shown = without_secrets(text, stored)
    printable = "".join(each if each.isprintable() else " " for each in shown)
    line = " ".join(printable.split())
    return f"{line[: MAX_LENGTH - 1]}…" if len(line) > MAX_LENGTH else line or None
