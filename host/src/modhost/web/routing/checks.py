"""Start-up checks of endpoints, pages and menus."""

from collections.abc import Iterable, Sequence

from starlette.routing import PARAM_REGEX

from modhost import Permission
from modhost.checks import Finding, Rule, rules
from modhost.permissions import Anyone, Permissions
from modhost.services import ServiceRegistry, missing
from modhost.web.routing.declarations import Declaration
from modhost.web.routing.module_web import ModuleWeb
from modhost.web.routing.template_checks import check_templates


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
                    who = _named(declared)
                    findings += missing(services, parameter.needs, who, declared.module)
        findings += _check_menu(module, permissions)
        findings += _check_cards(module, permissions, services)
    findings += check_templates(modules)
    return findings + _check_duplicates(each for module in modules for each in module.declared)


def _check_permission(declared: Declaration, permissions: Permissions) -> list[Finding]:
    if declared.permission is None:
        detail = f"{_named(declared)} names no permission."
        remedy = "Pass permission=<a permission of the module>, or permission=ANYONE."
        return [_finding(rules.NO_PERMISSION, declared, detail, remedy)]
    undeclared = _undeclared(declared.permission, permissions)
    if undeclared is None:
        return []
    detail = f"{_named(declared)} asks for {undeclared!r}, which no module declares."
    remedy = "Return the permission from configure_permissions."
    return [_finding(rules.UNDECLARED_PERMISSION, declared, detail, remedy)]


def _check_menu(module: ModuleWeb, permissions: Permissions) -> list[Finding]:
    findings = []
    for entry in (*module.menu.entries, *(tab for _, tab in module.slots.tabs)):
        undeclared = _undeclared(entry.permission, permissions)
        if undeclared is not None:
            detail = f"The menu entry {entry.label!r} shows to those who have {undeclared!r}, "
            detail += "which no module declares."
            remedy = "Return the permission from configure_permissions."
            rule = rules.UNDECLARED_PERMISSION
            findings.append(Finding(rule, detail, remedy, module.name))
    return findings


def _check_cards(
    module: ModuleWeb, permissions: Permissions, services: ServiceRegistry
) -> list[Finding]:
    findings = list(module.slots.findings)
    for card in module.slots.cards:
        for parameter in card.binding.parameters:
            if parameter.needs is not None:
                findings += missing(services, parameter.needs, card.name, module.name)
        undeclared = _undeclared(card.permission, permissions)
        if undeclared is not None:
            detail = f"The card {card.name} shows to those who have {undeclared!r}, which no "
            detail += "module declares."
            remedy = "Return the permission from configure_permissions."
            rule = rules.UNDECLARED_PERMISSION
            findings.append(Finding(rule, detail, remedy, module.name))
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


def _undeclared(permission: Permission | Anyone, permissions: Permissions) -> str | None:
    """Return the name of a permission that no module declares, None for a declared one."""
    if isinstance(permission, Anyone) or permission in permissions:
        return None
    return permission.name


def _named(declared: Declaration) -> str:
    return f"{declared.method} {declared.path} ({declared.handler_name})"


def _finding(rule: Rule, declared: Declaration, detail: str, remedy: str) -> Finding:
    return Finding(rule, detail, remedy, declared.module)
