"""Name, logo and accent on every page, from the host's own origin."""

import re
from pathlib import Path

import pytest

from modhost.checks import StartupError
from modhost.configuration import Configuration
from modhost.runtime.assembly import build_host
from modhost.testing import running_host
from modhost.web.rendering.branding import MAX_BYTES

pytestmark = pytest.mark.anyio

LOGO = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.mark.parametrize("public_url", ["", "http://localhost/tools/"])
async def test_pages_have_the_branding_that_is_configured(tmp_path: Path, public_url: str) -> None:
    (tmp_path / "acme.svg").write_text(LOGO)
    branding = {"name": "Acme & Co", "logo": str(tmp_path / "acme.svg"), "accent": "#7a1fa2"}
    async with running_host([], config={"host": {**branding, "public_url": public_url}}) as host:
        client = await host.client()
        for path in ("/", "/login", "/nothing"):
            answer = await client.get(path, headers={"Accept": "text/html"})
            page = answer.text
            assert "– Acme &amp; Co (development)</title>" in page
            assert "Acme &amp; Co</a>" in page
            assert "img-src 'self' data:" in answer.headers["Content-Security-Policy"]
        base = "/tools" if public_url else ""
        (style,) = re.findall(rf'href="{base}(/branding/accent.css\?\w+)"', page)
        (logo,) = re.findall(rf'<img src="{base}(/branding/logo\?\w+)"', page)
        css = await client.get(style)
        assert css.headers["Content-Type"].startswith("text/css")
        assert ":root { --accent: #7a1fa2;" in css.text
        assert "@media (prefers-color-scheme: dark) { :root { --accent: #" in css.text
        image = await client.get(logo)
        assert (image.text, image.headers["Content-Type"]) == (LOGO, "image/svg+xml")
        # Opened by itself, it can run nothing.
        assert "script-src 'self'" in image.headers["Content-Security-Policy"]
        assert image.headers["X-Content-Type-Options"] == "nosniff"
        assert "immutable" in image.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("options", "head", "title"),
    [
        ({"environment": "production"}, "production", "– modhost</title>"),
        ({"environment": "development"}, "development", "– modhost (development)</title>"),
        ({"environment_name": "staging"}, "staging", "– modhost (staging)</title>"),
    ],
)
async def test_pages_name_the_environment(
    sqlite_url: str, options: dict[str, str], head: str, title: str
) -> None:
    configured = {"host": {"database_url": sqlite_url, **options}}
    async with running_host([], config=configured) as host:
        page = (await (await host.client()).get("/login")).text
        assert title in page
        assert f"Environment: </span>{head}</span>" in page


async def test_without_branding_it_is_that_of_modhost(sqlite_url: str) -> None:
    async with running_host([], config={"host": {"database_url": sqlite_url}}) as host:
        client = await host.client()
        page = (await client.get("/")).text
        assert "– modhost (development)</title>" in page
        assert "/branding/" not in page
        assert (await client.get("/branding/logo")).status_code == 404


def test_a_logo_is_found_beside_the_configuration_and_is_small(tmp_path: Path) -> None:
    (tmp_path / "acme.png").write_bytes(b"x" * (MAX_BYTES + 1))
    host = {"logo": "acme.png", "database_url": f"sqlite:///{tmp_path}/host.db"}
    configuration = Configuration({"host": host}, start=tmp_path)
    assert configuration.host.logo == str(tmp_path / "acme.png")
    with pytest.raises(StartupError, match="more than 262,144"):
        build_host(configuration, "web", modules=[])
    # It is of no importance to what has no pages.
    build_host(configuration, "worker", modules=[])
