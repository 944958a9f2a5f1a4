"""An accent is readable on light and on dark pages, or stops the start."""

import colorsys
import re

import pytest

from docs.pages import ROOT
from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.configuration.colours import DARK, LIGHT, READABLE, Colour, Scheme, check_accent
from modhost.runtime.assembly import build_host

HUES = [
    "#" + "".join(f"{round(255 * part):02x}" for part in colorsys.hsv_to_rgb(hue / 24, 1, 1))
    for hue in range(24)
]


def tokens(css: str) -> dict[str, str]:
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", css))


def test_contrasts_are_those_of_the_guidelines() -> None:
    black, white = Colour.parse("#000000"), Colour.parse("#ffffff")
    assert black.contrast(white) == white.contrast(black) == pytest.approx(21)
    assert white.contrast(white) == 1
    assert Colour.parse("#777777").contrast(white) == pytest.approx(4.48, abs=0.005)


def test_the_grounds_are_those_of_the_stylesheet() -> None:
    css = (ROOT / "host/src/modhost/web/static/shell.css").read_text("utf-8")
    light, dark = css.split("@media (prefers-color-scheme: dark)")[:2]
    for part, scheme in ((tokens(light), LIGHT), (tokens(dark.split("\n}")[0]), DARK)):
        grounds = [part[name] for name in ("surface", "ground", "sunken")]
        assert grounds == list(map(str, scheme.grounds))
        assert part["accent-text"] == str(scheme.text)
        check_accent(part["accent"], scheme)


@pytest.mark.parametrize("scheme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("hue", [*HUES, "#000000", "#ffffff", "#808080"])
def test_the_nearest_shade_of_every_colour_is_readable(hue: str, scheme: Scheme) -> None:
    shade = scheme.readable(Colour.parse(hue))
    assert check_accent(str(shade), scheme) == str(shade)
    assert scheme.contrast(shade) >= READABLE
    if scheme.contrast(Colour.parse(hue)) >= READABLE:
        assert str(shade) == hue


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"accent": "purple"}, "is not a colour"),
        (
            {"accent": "#ffcc00"},
            r"has a contrast of 1\.\d on light pages.*nearest.*#[0-9a-f]",
        ),
        ({"accent_dark": "#111111"}, r"has a contrast of 1\.\d on dark pages.*nearest shade"),
        ({"name": ""}, "1 characters or more"),
        ({"logo": "missing.svg"}, "missing.svg cannot be read: No such file"),
        ({"logo": "pyproject.toml"}, "is not one of the files .svg, .png"),
    ],
)
def test_a_brand_that_cannot_be_shown_stops_the_start(options: dict[str, str], reason: str) -> None:
    with pytest.raises(StartupError) as refused:
        build_host(Configuration({"host": options}), "web", modules=[])
    (finding,) = refused.value.findings
    assert finding.rule.code == "MH203"
    assert next(iter(options)) in finding.detail
    assert re.search(reason, str(finding))
