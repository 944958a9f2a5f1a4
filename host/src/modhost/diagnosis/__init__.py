"""The checks of `modhost doctor` beyond those of a start: slower, or while the host runs."""

from modhost.diagnosis.examination import Examination, examine
from modhost.diagnosis.postgres_server import HELD_FOR

__all__ = ["HELD_FOR", "Examination", "examine"]
