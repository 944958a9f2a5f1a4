"""Commands that tell what a host consists of."""

import click

from modhost.cli.context import host_of
from modhost.cli.output import show
from modhost.cli.usage import as_json
from modhost.permissions import Anyone
from modhost.services import name_of


@click.command()
@as_json
@click.pass_context
def modules(context: click.Context, *, as_json: bool) -> None:
    """List the modules, in the order in which they are configured."""
    host = host_of(context)
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
    show(rows, as_json=as_json)


@click.command()
@as_json
@click.pass_context
def routes(context: click.Context, *, as_json: bool) -> None:
    """List the routes of the API and the pages, with the permission that each asks for."""
    host = host_of(context, "web")
    rows = [
        {
            "method": declared.method,
            "path": declared.path,
            "permission": (
                "anyone"
                if isinstance(declared.permission, Anyone) or declared.permission is None
                else declared.permission.name
            ),
            "kind": declared.kind,
            "module": declared.module,
            "summary": declared.summary,
        }
        for web in host.web
        for declared in web.declared
    ]
    show(sorted(rows, key=lambda row: (row["path"], row["method"])), as_json=as_json)


@click.command()
@as_json
@click.pass_context
def permissions(context: click.Context, *, as_json: bool) -> None:
    """List the permissions that the modules declare."""
    rows = [
        {"name": each.name, "label": each.label, "default_roles": list(each.default_roles)}
        for each in host_of(context).permissions
    ]
    show(rows, as_json=as_json)


@click.command()
@as_json
@click.pass_context
def services(context: click.Context, *, as_json: bool) -> None:
    """List the services by contract, with their lifetime and who registered them."""
    rows = [
        {
            "contract": name_of(each.contract),
            "implementation": getattr(
                each.implementation, "__qualname__", str(each.implementation)
            ),
            "lifetime": each.lifetime.value,
            "module": each.module,
        }
        for each in host_of(context).services.registrations
    ]
    show(rows, as_json=as_json)


@click.command()
@as_json
@click.pass_context
def config(context: click.Context, *, as_json: bool) -> None:
    """Show the configuration as it is in effect, with the origin of each value; no secrets."""
    host = host_of(context)
    models = {found.module.name: found.module.options for found in host.modules}
    show([each._asdict() for each in host.configuration.in_effect(models)], as_json=as_json)
