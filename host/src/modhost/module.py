"""What a module is: a class with a name, some data, and the hooks it implements."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class ModuleOptions(BaseModel):
    """Base of a module's options: unknown keys are errors, values never change after start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Module:
    """Base of every module; the entry point in the group `modhost.modules` names the subclass.

    Attributes:
        name: identifies the module: config section `[modules.<name>]`, schema or table prefix.
        version: the module's own version.
        route_prefix: API endpoints live under it, e.g. `/api/reports`.
        view_prefix: pages live under it, e.g. `/reports`.
        requires: names of the modules whose contracts this one uses; they are configured first.
        options: the model that `[modules.<name>]` is bound to.
        migrations: the package that holds the module's alembic revisions, e.g.
            `"modhost_reports_example.migrations"`; empty when the module has no tables.

    """

    name: ClassVar[str] = ""
    version: ClassVar[str] = "0.0.0"
    route_prefix: ClassVar[str] = ""
    view_prefix: ClassVar[str] = ""
    requires: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[type[BaseModel]] = ModuleOptions
    migrations: ClassVar[str] = ""
