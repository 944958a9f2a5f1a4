"""The settings that a module declares, and what they are with the values that were stored."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pydantic import ValidationError

from modhost.administration.settings.fields import SettingField, UnusableField, written
from modhost.checks import Finding, rules
from modhost.configuration.binding_errors import advice
from modhost.configuration.configuration import ConfiguredSettings
from modhost.settings import ModuleSettings
from modhost.web import FieldError

MAX_LENGTH: Final = 10_000
TOGETHER: Final = "The stored values cannot be used together."

Stored = Mapping[str, Any]
"""Values of JSON by the names of settings."""


class Effective(NamedTuple):
    """The settings of a module in effect.

    `stored` names those that administrators have set; `problems` says why others of them are not
    used.
    """

    values: ModuleSettings
    stored: frozenset[str]
    problems: Mapping[str, str]


class InvalidSetting(Exception):
    """Settings that cannot be used; `errors` says what is wrong with each."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(" ".join(f"{each.field}: {each.message}" for each in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class DeclaredSettings:
    """The settings of one module.

    Attributes:
        base: what they are where nobody has changed them.

    """

    module: str
    model: type[ModuleSettings]
    fields: Mapping[str, SettingField]
    configured: ConfiguredSettings
    base: ModuleSettings

    def effective(self, stored: Stored) -> Effective:
        """Return the settings with stored values; those that are not valid any more are left out.

        Values of settings that the model does not have are ignored.
        """
        kept = {name: value for name, value in stored.items() if name in self.fields}
        problems: dict[str, str] = {}
        while kept:
            try:
                values = self.model.model_validate({**self.configured.table, **kept})
                return Effective(values, frozenset(kept), problems)
            except ValidationError as error:
                wrong = {each.field: each.message for each in errors_of(error)}
                wrong = {name: text for name, text in wrong.items() if name in kept}
            except Exception:  # noqa: BLE001 - whatever a module's validator raises
                wrong = {}
            problems |= wrong or dict.fromkeys(kept, TOGETHER)
            kept = {name: value for name, value in kept.items() if name not in problems}
        return Effective(self.base, frozenset(), problems)

    def changed(self, stored: Stored, given: Stored) -> Mapping[str, Any]:
        """Return the values to store for those given, as JSON. Raises `InvalidSetting`."""
        used = {name: stored[name] for name in self.effective(stored).stored}
        try:
            values = self.model.model_validate({**self.configured.table, **used, **given})
        except ValidationError as error:
            raise InvalidSetting(list(errors_of(error))) from None
        found = {name: written(getattr(values, name)) for name in given}
        errors = [FieldError(name, problem) for name in found if (problem := _unfit(found[name]))]
        if errors:
            raise InvalidSetting(errors)
        return found


def errors_of(error: ValidationError) -> Iterator[FieldError]:
    """Yield what is wrong with each setting; the name is empty for several of them together."""
    for each in error.errors(include_url=False):
        yield FieldError(str(each["loc"][0]) if each["loc"] else "", advice(each))


def fields_of(
    module: str, model: type[ModuleSettings]
) -> tuple[Mapping[str, SettingField], list[Finding]]:
    """Return the fields of a model by name, and what is wrong with others."""
    fields: dict[str, SettingField] = {}
    findings: list[Finding] = []
    for name in model.model_fields:
        try:
            fields[name] = SettingField.of(model, name)
            _check_default(model, name)
        except UnusableField as error:
            detail = f"{model.__qualname__}.{name} {error}"
            findings.append(Finding(rules.UNUSABLE_SETTING, detail, error.remedy, module))
    return fields, findings


def _check_default(model: type[ModuleSettings], name: str) -> None:
    """Raise `UnusableField` unless the default, as it is shown, is read as the same value."""
    remedy = "Use another type or default; for durations there is modhost.durations.Duration."
    try:
        default = model.model_fields[name].get_default(call_default_factory=True)
        read = getattr(model.model_validate({name: written(default)}), name)
    except ValidationError as error:
        reason = next(errors_of(error)).message
        raise UnusableField(f"does not take its own default. {reason}", remedy) from error
    except (Exception, SystemExit) as error:
        detail = f"cannot be validated: that raised {type(error).__name__}: {error}."
        raise UnusableField(detail, "Let validators raise ValueError, with a sentence.") from error
    if read != default:
        raise UnusableField(f"reads its own default, {default!r}, as {read!r}.", remedy)


def _unfit(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "Give a finite number."
    text = json.dumps(value)
    if len(text) > MAX_LENGTH:
        return f"Give at most {MAX_LENGTH:,} characters."
    texts = value if isinstance(value, list) else [value]
    is_plain = all(
        character.isprintable() or character in "\n\t"
        for each in texts
        if isinstance(each, str)
        for character in each
    )
    return "" if is_plain else "Give it without control characters."
