"""The settings of a module, as it declares them and the configuration begins them."""

from modhost.administration.settings import DeclaredSettings, fields_of, offer
from modhost.checks import Finding, rules
from modhost.configuration import Configuration
from modhost.configuration.configuration import SETTINGS
from modhost.configuration.option_types import options_in
from modhost.plugins import FoundModule
from modhost.services import ServiceRegistry


def register_settings(
    found: FoundModule, configuration: Configuration, registry: ServiceRegistry
) -> list[Finding]:
    """Register the service of a module's settings, if it has any; return what is wrong."""
    name, model = found.module.name, found.module.settings
    if SETTINGS in options_in(found.module.options):
        if model is None:
            return []
        detail = f"its options have the name {SETTINGS}, which is the table of its settings."
        return [found.finding(rules.UNUSABLE_SETTING, detail, "Rename the option.")]
    if model is None:
        configuration.bind_settings(name, None)
        return []
    fields, findings = fields_of(name, model)
    if not findings:
        configured = configuration.bind_settings(name, model)
        base = model.model_validate(configured.table)
        declared = DeclaredSettings(name, model, fields, configured, base)
        offer(registry.of_module(name), declared)
    return findings
