"""The branding of a host: its name, its logo and its accent colour."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from modhost.configuration import HostOptions
from modhost.configuration.colours import DARK, LIGHT, Colour

STYLE_PATH: Final = "/branding/accent.css"
LOGO_PATH: Final = "/branding/logo"
MAX_BYTES: Final = 256 * 1024
_KINDS: Final = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
}


class UnusableLogo(Exception):
    """A logo that cannot be shown, with the reason and what to do."""


@dataclass(frozen=True, slots=True)
class Branding:
    """How pages present the host.

    Attributes:
        environment: what the environment is called; empty to say nothing.
        style: the stylesheet of the accent; empty for that of the shell.
        logo: the file of the logo; empty for that of the shell.
        logo_kind: its media type.

    """

    name: str = "modhost"
    style: bytes = b""
    logo: bytes = b""
    logo_kind: str = ""
    environment: str = ""

    @classmethod
    def of(cls, options: HostOptions) -> "Branding":
        """Return the branding that the configuration describes. Raises `UnusableLogo`."""
        logo, kind = _read(Path(options.logo)) if options.logo else (b"", "")
        style = _style(options.accent, options.accent_dark).encode()
        environment = options.environment_name or options.environment
        return cls(options.name, style, logo, kind, environment)

    @property
    def title(self) -> str:
        """What windows are called after: the name, and the environment unless it is production."""
        is_said = self.environment not in ("", "production")
        return f"{self.name} ({self.environment})" if is_said else self.name

    @property
    def style_path(self) -> str:
        """The path of the stylesheet, another for each content; empty for none."""
        return f"{STYLE_PATH}?{_digest(self.style)}" if self.style else ""

    @property
    def logo_path(self) -> str:
        """The path of the logo, another for each content; empty for none."""
        return f"{LOGO_PATH}?{_digest(self.logo)}" if self.logo else ""


def _style(accent: str, dark: str) -> str:
    """Return the stylesheet of an accent; that of dark pages follows from it if there is none."""
    rules = ""
    if accent:
        rules += f":root {{ {_tokens(LIGHT.shades(Colour.parse(accent)))} }}\n"
    if accent or dark:
        in_dark = Colour.parse(dark) if dark else DARK.readable(Colour.parse(accent))
        tokens = _tokens(DARK.shades(in_dark))
        rules += f"@media (prefers-color-scheme: dark) {{ :root {{ {tokens} }} }}\n"
    return rules


def _tokens(shades: dict[str, Colour]) -> str:
    return " ".join(f"--{name}: {colour};" for name, colour in shades.items())


def _read(path: Path) -> tuple[bytes, str]:
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise UnusableLogo(f"{path} is not one of the files {', '.join(_KINDS)}.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnusableLogo(f"{path} cannot be read: {error.strerror}.") from error
    if len(content) > MAX_BYTES:
        size = f"{len(content):,} bytes, more than {MAX_BYTES:,}"
        raise UnusableLogo(f"{path} has {size}: every page shows it.")
    return content, kind


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]
