"""A form that was refused, and is shown again with what was typed and what is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from modhost.web.problems import FieldError, HttpProblem


@dataclass(frozen=True, slots=True)
class SentForm:
    """The variable `sent_form` of every page; empty unless a form was refused.

    Attributes:
        path: where the form was sent to.
        typed: the values by the name of their field, without those of secret fields.
        problem: why it was refused.

    """

    path: str = ""
    typed: Mapping[str, Sequence[str]] = field(default_factory=dict)
    problem: HttpProblem | None = None

    def at(self, path: str) -> "SentForm":
        """Return the form if it was sent to the path, for pages with several forms."""
        return self if self.path == path else SentForm()

    def value(self, name: str, default: object = "") -> object:
        """Return what was typed into a field, the default if nothing was sent."""
        typed = self.typed.get(name, ())
        return (typed[-1] if typed else "") if self.problem else default

    def has(self, name: str, value: str, *, default: bool = False) -> bool:
        """Return whether a value was chosen, the default if nothing was sent."""
        return value in self.typed.get(name, ()) if self.problem else default

    def error(self, name: str) -> str:
        """Return what is wrong with a field, in one text; empty for nothing."""
        return " ".join(each.message for each in self.errors if _field_of(each) == name)

    @property
    def errors(self) -> tuple[FieldError, ...]:
        """What is wrong with single fields."""
        return self.problem.errors if self.problem else ()


NO_FORM: Final = SentForm()


def _field_of(error: FieldError) -> str:
    """Return the field of an error, which may be that of one item of a list."""
    return error.field.partition(".")[0]
