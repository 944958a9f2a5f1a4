"""What `modhost doctor` looks for beyond the checks of a start: slower, or while the host runs."""

from modhost.diagnosis.examination import Examination, examine
from modhost.diagnosis.held_transactions import HELD_FOR

__all__ = ["HELD_FOR", "Examination", "examine"]
