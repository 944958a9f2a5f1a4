"""Settings of modules: declared, stored, followed by every process, shown and changed."""

from modhost.administration.settings.changes import SettingChanges, UnknownSetting
from modhost.administration.settings.declared import DeclaredSettings, InvalidSetting, fields_of
from modhost.administration.settings.live import SettingsFollower, offer
from modhost.administration.settings.reading import SettingsReader, SettingStatus

__all__ = [
    "DeclaredSettings",
    "InvalidSetting",
    "SettingChanges",
    "SettingStatus",
    "SettingsFollower",
    "SettingsReader",
    "UnknownSetting",
    "fields_of",
    "offer",
]
