"""Start-up checks of endpoints, pages and menus."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import BaseModel
from starlette.routing import PARAM_REGEX

from modhost import ModuleOptions, Permission
from modhost.checks import Finding, Rule, rules
from modhost.permissions import Anyone, Permissions
from modhost.services import Dependency, ServiceRegistry, missing
from modhost.web.binding.parameters import union_members
from modhost.web.routing.declarations import Declaration
from modhost.web.routing.module_web import ModuleWeb
from modhost.web.routing.template_checks import check_templates

# Where the types of values come from that no module offers as services.
_OF_VALUES: Final = ("builtins", "datetime", "decimal", "uuid")


def check_web(
    modules: Sequence[ModuleWeb], permissions: Permissions, services: ServiceRegistry
) -> list[Finding]:
    """Return everything that is wrong with what the modules serve."""
    findings: list[Finding] = []
    for module in modules:
        findings += [*module.endpoints.findings, *module.pages.findings]
        for declared in module.declared:
            findings += _check_permission(declared, permissions)
            for parameter in declared.binding.parameters:
                if parameter.needs is not None:
                    findings += _check_service(parameter.needs, services, declared)
        findings += _check_menu(module, permissions)
        findings += _check_cards(module, permissions, services)
    findings += check_templates(modules)
    return findings + _check_duplicates(each for module in modules for each in module.declared)


def _check_service(
    needed: Dependency, services: ServiceRegistry, declared: Declaration
) -> list[Finding]:
    findings = missing(services, needed, _named(declared), declared.module)
    if remedy := _remedy_of_value(needed.name, needed.contract):
        return [replace(each, remedy=remedy) for each in findings]
    return findings


def _remedy_of_value(name: str, contract: Any) -> str | None:
    """Return what to write for a parameter that is hardly a service; None for any other."""
    if isinstance(contract, type) and issubclass(contract, BaseModel):
        if issubclass(contract, ModuleOptions):
            return None
        model = contract.__name__
        return f"Write Body[{model}], Query[{model}] or Form[{model}]."
    kinds = union_members(contract) or (contract,)
    if all(getattr(each, "__module__", "") in _OF_VALUES for each in kinds):
        return f"Put {{{name}}} into the path, or write Query[…], Body[…] or Form[…] of a model."
    return None


def _check_permission(declared: Declaration, permissions: Permissions) -> list[Finding]:
    if declared.permission is None:
        detail = f"{_named(declared)} names no permission."
        remedy = "Pass permission=<a permission of the module>, or permission=ANYONE."
        return [_finding(rules.NO_PERMISSION, declared, detail, remedy)]
    who = f"{_named(declared)} asks for"
    return _check_known(declared.permission, permissions, who, declared.module)


def _check_menu(module: ModuleWeb, permissions: Permissions) -> list[Finding]:
    findings = []
    for entry in (*module.menu.entries, *(tab for _, tab in module.slots.tabs)):
        who = f"The menu entry {entry.label!r} shows to those who have"
        findings += _check_known(entry.permission, permissions, who, module.name)
    return findings


def _check_cards(
    module: ModuleWeb, permissions: Permissions, services: ServiceRegistry
) -> list[Finding]:
    findings = list(module.slots.findings)
    for card in module.slots.cards:
        for parameter in card.binding.parameters:
            if parameter.needs is not None:
                findings += missing(services, parameter.needs, card.name, module.name)
        who = f"The card {card.name} shows to those who have"
        findings += _check_known(card.permission, permissions, who, module.name)
    return findings


def _check_duplicates(all_declared: Iterable[Declaration]) -> list[Finding]:
    findings = []
    by_method: dict[tuple[str, str], Declaration] = {}
    by_shape: dict[str, Declaration] = {}
    for declared in all_declared:
        shape = PARAM_REGEX.sub("{}", declared.path)
        same = by_method.setdefault((declared.method, shape), declared)
        alike = by_shape.setdefault(shape, declared)
        if same is not declared:
            detail = f"{_named(declared)} is served already, by {_named(same)} of {same.module}."
            remedy = "Give one of the two another path."
            findings.append(_finding(rules.DUPLICATE_ROUTE, declared, detail, remedy))
        elif alike.path != declared.path:
            detail = f"{_named(declared)} names its parameters otherwise than {_named(alike)}."
            remedy = f"Write {alike.path} in both."
            findings.append(_finding(rules.DUPLICATE_ROUTE, declared, detail, remedy))
    return findings


def _check_known(
    permission: object, permissions: Permissions, who: str, module: str
) -> list[Finding]:
    """Return a finding when what `who` requires is not a permission that a module declares."""
    if not isinstance(permission, Permission | Anyone):
        detail = f"{who} {permission!r}, which is not a Permission."
        remedy = "Pass the Permission itself, not its name, or ANYONE."
    elif isinstance(permission, Permission) and permission not in permissions:
        detail = f"{who} {permission.name!r}, which no module declares."
        remedy = "Return the permission from configure_permissions."
    else:
        return []
    return [Finding(rules.UNDECLARED_PERMISSION, detail, remedy, module)]


def _named(declared: Declaration) -> str:
    return f"{declared.method} {declared.path} ({declared.handler_name})"


def _finding(rule: Rule, declared: Declaration, detail: str, remedy: str) -> Finding:
    return Finding(rule, detail, remedy, declared.module)
