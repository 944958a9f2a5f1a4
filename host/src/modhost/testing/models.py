"""The models of modules, without a host."""

from modhost import Module
from modhost.checks import StartupError
from modhost.identity import IdentityModule
from modhost.plugins.discovery import of_instance
from modhost.runtime.model_checks import check_models


def configure_models(*modules: Module) -> None:
    """Make the models of modules usable without a host, as its start does.

    Their foreign keys may refer to tables of these modules and of the host: without this,
    SQLAlchemy raises `NoReferencedTableError` for those of another module.

    Args:
        modules: those whose models are used, and those that they refer to.

    Raises:
        StartupError: as a start would report it, e.g. for a table that no module has.

    """
    found = [of_instance(each) for each in (IdentityModule(), *modules)]
    findings = check_models(found, has_schemas=True)
    if findings:
        raise StartupError(findings)
