"""Commands that list the parts of a host: modules, routes, services, events, options."""

import textwrap
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import click

from modhost.cli.context import host_of
from modhost.cli.output import as_json, show
from modhost.events import DurableSubscription, Event, Publication
from modhost.module import Role
from modhost.permissions import Permission
from modhost.runtime.host import Host
from modhost.services import Subscription, name_of

Rows = Sequence[Mapping[str, Any]]


def _command(rows_of: Callable[[Host], Rows], role: Role = "command") -> click.Command:
    """Make a command of a function that returns the rows to show."""

    @click.command(rows_of.__name__, help=rows_of.__doc__)
    @as_json
    @click.pass_context
    def command(context: click.Context, *, as_json: bool) -> None:
        show(rows_of(host_of(context, role)), as_json=as_json)

    return command


@_command
def modules(host: Host) -> Rows:
    """List the modules, in the order in which they are configured."""
    rows = [
        {
            "name": found.module.name,
            "version": found.module.version,
            "distribution": found.distribution,
            "requires": list(found.module.requires),
            "state": "enabled",
        }
        for found in host.modules
    ]
    rows += [
        {
            "name": skipped.name,
            "version": "",
            "distribution": skipped.distribution,
            "requires": [],
            "state": f"left out: {skipped.error}",
        }
        for skipped in host.skipped
    ]
    return rows


@partial(_command, role="web")
def routes(host: Host) -> Rows:
    """List the routes of the API and the pages, with the permission that each asks for."""
    rows = [
        {
            "method": each.method,
            "path": each.path,
            "permission": (
                each.permission.name if isinstance(each.permission, Permission) else "anyone"
            ),
            "kind": each.kind,
            "module": each.module,
            "summary": each.summary,
        }
        for web in host.web
        for each in web.declared
    ]
    return sorted(rows, key=lambda row: (row["path"], row["method"]))


@_command
def permissions(host: Host) -> Rows:
    """List the permissions that the modules declare."""
    return [
        {"name": each.name, "label": each.label, "default_roles": list(each.default_roles)}
        for each in host.permissions
    ]


@_command
def services(host: Host) -> Rows:
    """List the services by contract, with their lifetime and who registered them."""
    return [
        {
            "contract": name_of(each.contract),
            "implementation": getattr(
                each.implementation, "__qualname__", str(each.implementation)
            ),
            "lifetime": each.lifetime.value,
            "module": each.module,
        }
        for each in host.services.registrations
    ]


@_command
def events(host: Host) -> Rows:
    """List the events, who publishes each, and who gets it, in process or as a durable job."""
    found = host.services.contributed
    published: dict[type[Event], list[str]] = {}
    for each in found(Publication):
        published.setdefault(each.event, []).append(each.module)
    subscribed = [
        (each.event, each.name, each.module, "in process") for each in found(Subscription)
    ]
    subscribed += [
        (each.event, each.subscriber.__qualname__, each.module, "durable")
        for each in found(DurableSubscription)
    ]
    return [
        {
            "event": name_of(event),
            "published_by": modules,
            "subscriber": name,
            "module": module,
            "delivery": delivery,
        }
        for event, modules in published.items()
        for _, name, module, delivery in [each for each in subscribed if issubclass(event, each[0])]
        or [(event, "", "", "")]
    ]


@click.command()
@click.option("--describe", is_flag=True, help="Describe each option, instead of its origin.")
@as_json
@click.pass_context
def config(context: click.Context, *, describe: bool, as_json: bool) -> None:
    """Show the configuration in effect, with the origin of each value; no secrets."""
    host = host_of(context)
    models = {found.module.name: found.module.options for found in host.modules}
    rows = [each._asdict() for each in host.configuration.in_effect(models)]
    for row in rows:
        del row["origin" if describe else "description"]
        if describe and not as_json:
            row["description"] = textwrap.fill(row["description"])
    show(rows, as_json=as_json, multiline=("description",))
