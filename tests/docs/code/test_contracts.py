"""The docstrings of the contracts describe every parameter, and the errors that are raised."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from functools import cache
from types import ModuleType
from typing import Any

import pytest

import modhost.audit
import modhost.identity.contracts
import modhost_background_jobs.contracts
import modhost_reports_example.contracts
from docs.code.raised_errors import SECTION, documented, errors, is_protocol, raised

CONTRACTS = (
    modhost.audit,
    modhost.identity.contracts,
    modhost_background_jobs.contracts,
    modhost_reports_example.contracts,
)
UNREACHABLE = {
    # The module registers its own job, and says no queue.
    "ReportsContracts.request": {
        *("InvalidFlow", "InvalidWorkflow", "JobNotFound", "UnregisteredJob"),
    },
    # It names the workflow by a source that is there, and its jobs wait for nodes of it alone.
    "ReportsContracts.compare_years": {"InvalidWorkflow", "JobNotFound"},
    # The name of the built-in administrator is usable, and its row has just been inserted or found.
    "LoginService.create_link": {"UnusableName", "UserNotFound"},
    # Such jobs wait for no others.
    "BackgroundJobs.enqueue_many": {"JobNotFound"},
    "JobsFromThread.enqueue_many": {"JobNotFound"},
    "RecurringScheduling.add_recurring": {"InvalidWorkflow", "JobNotFound"},
    "RecurringScheduling.set_recurring": {"InvalidWorkflow", "JobNotFound"},
    "RecurringScheduling.run_recurring_now": {"InvalidWorkflow"},
    # A role has no roles; users, and roles that are assigned, have no permissions of their own.
    "RoleService.add": {"UnknownRole"},
    "UserService.add": {"UnknownGrant"},
    "UserService.assign": {"UnknownGrant"},
    "UserService.check": {"UnknownGrant"},
}
PACKAGES = (modhost, modhost_background_jobs, modhost_reports_example)


def public_functions(contracts: ModuleType) -> Iterator[tuple[type | None, Callable[..., Any]]]:
    """Yield the functions that a package exports, and the methods of its classes."""
    for value in (getattr(contracts, name) for name in contracts.__all__):
        if inspect.isfunction(value):
            yield None, value
        elif inspect.isclass(value):
            methods = (each for each in vars(value).values() if inspect.isfunction(each))
            yield from ((value, each) for each in methods if not each.__name__.startswith("_"))


FUNCTIONS = [each for package in CONTRACTS for each in public_functions(package)]
NAMES = [function.__qualname__ for _, function in FUNCTIONS]


@cache
def classes() -> list[type]:
    """Return all classes of the host and its modules."""
    found = []
    for package in PACKAGES:
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not each.name.endswith("__main__") and ".migrations.versions." not in each.name:
                module = importlib.import_module(each.name)
                own = (value for value in vars(module).values() if inspect.isclass(value))
                found += [value for value in own if value.__module__ == each.name]
    return found


def implementations(contract: type) -> list[type]:
    """Return the classes that have all methods of a protocol."""
    wanted = {name for name in vars(contract) if not name.startswith("_")}
    return [each for each in classes() if not is_protocol(each) and wanted <= set(dir(each))]


@pytest.mark.parametrize(("owner", "function"), FUNCTIONS, ids=NAMES)
def test_every_parameter_is_described(owner: type | None, function: Callable[..., Any]) -> None:
    parameters = set(inspect.signature(function).parameters) - {"self"}
    assert documented(function.__doc__ or "", "Args:") == parameters


@pytest.mark.parametrize(("owner", "function"), FUNCTIONS, ids=NAMES)
def test_the_errors_that_are_raised_are_described_and_no_other(
    owner: type | None, function: Callable[..., Any]
) -> None:
    described = tuple(errors()[name] for name in documented(function.__doc__ or "", SECTION))
    sources: list[tuple[type | None, Any]] = [(None, function)]
    if owner is not None and is_protocol(owner):
        sources = [(each, getattr(each, function.__name__)) for each in implementations(owner)]
        assert sources, "nothing implements it"
    found = set().union(*(raised(each, source) for source, each in sources))
    missing = {each.__name__ for each in found if not issubclass(each, described)}
    assert missing == UNREACHABLE.get(function.__qualname__, set())
    # What an abstract method describes is for its implementations to raise.
    if not getattr(function, "__isabstractmethod__", False):
        assert {each.__name__ for each in set(described) - found} == set()
