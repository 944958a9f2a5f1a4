"""Colours of pages: whether an accent can be read on them, in light and in dark."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

READABLE: Final = 4.5
"""The contrast that texts need, by the Web Content Accessibility Guidelines."""
_WRITTEN: Final = re.compile(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})")
_STEPS: Final = 100


class Colour(NamedTuple):
    """A colour by its parts, 0 to 255 each."""

    red: float
    green: float
    blue: float

    @classmethod
    def parse(cls, text: str) -> "Colour":
        """Read `#rrggbb`. Raises `ValueError` with a sentence."""
        parts = _WRITTEN.fullmatch(text)
        if parts is None:
            msg = f"{text!r} is not a colour; write one like '#2c57c9'."
            raise ValueError(msg)
        return cls(*(float(int(each, 16)) for each in parts.groups()))

    def mixed(self, other: "Colour", share: float) -> "Colour":
        """Return the colour with a share of another, 0 to 1."""
        pairs = zip(self, other, strict=True)
        return Colour(*(own + (its - own) * share for own, its in pairs))

    def contrast(self, other: "Colour") -> float:
        """Return the ratio of the luminances, 1 to 21."""
        dark, light = sorted((self._luminance, other._luminance))
        return (light + 0.05) / (dark + 0.05)

    @property
    def _luminance(self) -> float:
        shares = (each / 255 for each in self)
        red, green, blue = (
            share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4
            for share in shares
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    def __str__(self) -> str:
        return "#" + "".join(f"{round(each):02x}" for each in self)


_BLACK: Final = Colour(0, 0, 0)
_WHITE: Final = Colour(255, 255, 255)


class Scheme(NamedTuple):
    """What an accent meets: the grounds that it is read on, and the text that is read on it.

    `away` is the end of the scale at which an accent is most readable.
    """

    name: str
    grounds: tuple[Colour, ...]
    text: Colour
    away: Colour
    tint: float
    hover: float

    def shades(self, accent: Colour) -> dict[str, Colour]:
        """Return the colours of the stylesheet that follow from an accent."""
        return {
            "accent": accent,
            "accent-hover": accent.mixed(self.away, self.hover),
            "accent-text": self.text,
            "accent-tint": self.grounds[0].mixed(accent, self.tint),
        }

    def contrast(self, accent: Colour) -> float:
        """Return the lowest contrast of what is read."""
        shades = self.shades(accent)
        return min(
            *(accent.contrast(each) for each in (*self.grounds, shades["accent-tint"])),
            *(self.text.contrast(shades[each]) for each in ("accent", "accent-hover")),
        )

    def readable(self, accent: Colour) -> Colour:
        """Return the nearest shade that can be read."""
        return next(each for each in self._shades_of(accent) if self.contrast(each) >= READABLE)

    def _shades_of(self, accent: Colour) -> Iterator[Colour]:
        for step in range(_STEPS + 1):
            # As it is written, so that what is recommended is readable too.
            yield Colour.parse(str(accent.mixed(self.away, step / _STEPS)))


# The colours of shell.css.
LIGHT: Final = Scheme(
    "light",
    tuple(map(Colour.parse, ("#ffffff", "#f6f7f9", "#eef0f4"))),
    text=_WHITE,
    away=_BLACK,
    tint=0.1,
    hover=0.2,
)
DARK: Final = Scheme(
    "dark",
    tuple(map(Colour.parse, ("#181c24", "#101319", "#20252f"))),
    text=Colour.parse("#0e1420"),
    away=_WHITE,
    tint=0.16,
    hover=0.3,
)


def check_accent(text: str, scheme: Scheme) -> str:
    """Return the accent. Raises `ValueError` with a sentence unless it can be read."""
    accent = Colour.parse(text)
    contrast = scheme.contrast(accent)
    if contrast < READABLE:
        msg = f"{text!r} has a contrast of {contrast:.1f} on {scheme.name} pages, and texts need "
        msg += f"{READABLE}; the nearest shade that has it is {str(scheme.readable(accent))!r}."
        raise ValueError(msg)
    return text
