"""What `modhost doctor` looks for beyond the checks of a start: slower, or while the host runs."""

from modhost.diagnosis.examination import Examination, examine

__all__ = ["Examination", "examine"]
