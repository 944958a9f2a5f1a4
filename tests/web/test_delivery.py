"""How pages and static files travel: compressed, and kept by browsers."""

import re
from pathlib import Path
from urllib.parse import urljoin

import pytest

from modhost.testing import RunningHost, running_host
from modhost.web import version_of
from modhost_background_jobs.module import BackgroundJobsModule

pytestmark = pytest.mark.anyio
YEAR = "public, max-age=31536000, immutable"


def production(url: str) -> dict[str, object]:
    return {
        "host": {"environment": "production", "database_url": url, "allowed_hosts": ["localhost"]},
        "modules": {"background_jobs": {"worker_mode": "Producer"}},
    }


async def assets_of(host: RunningHost) -> list[str]:
    page = (await (await host.client()).get("/login")).text
    return re.findall(r'(?:href|src)="(/static/[^"]+)"', page)


async def test_pages_files_and_lists_are_compressed_for_those_who_ask(sqlite_url: str) -> None:
    async with running_host([BackgroundJobsModule()], config=production(sqlite_url)) as host:
        client = await host.client("BackgroundJobs.ViewJobs")
        for path in ("/admin/jobs", "/openapi.json", (await assets_of(host))[1]):
            answer = await client.get(path, headers={"Accept-Encoding": "gzip"})
            plain = await client.get(path, headers={"Accept-Encoding": "identity"})
            assert answer.headers["content-encoding"] == "gzip"
            assert "accept-encoding" in answer.headers["vary"].lower()
            assert "content-encoding" not in plain.headers
            assert int(answer.headers["content-length"]) < len(plain.content) / 2
            head = await client.head(path, headers={"Accept-Encoding": "gzip"})
            assert (head.status_code, head.content) == (answer.status_code, b"")
        small = await client.get("/health/live", headers={"Accept-Encoding": "gzip"})
        assert "content-encoding" not in small.headers


async def test_browsers_keep_files_under_their_version(sqlite_url: str) -> None:
    async with running_host([BackgroundJobsModule()], config=production(sqlite_url)) as host:
        client = await host.client()
        assets = await assets_of(host)
        assert len(assets) >= 3
        for each in assets:
            assert (await client.get(each)).headers["cache-control"] == YEAR
        script = next(each for each in assets if each.endswith("shell.js"))
        imported = re.findall(r'import "(\./[^"]+)"', (await client.get(script)).text)
        for each in imported:
            assert (await client.get(urljoin(script, each))).headers["cache-control"] == YEAR
        assert imported


async def test_a_page_of_another_version_is_shown_with_the_files_that_there_are(
    sqlite_url: str,
) -> None:
    """During an upgrade a page of an old process asks a new one for its files."""
    async with running_host([BackgroundJobsModule()], config=production(sqlite_url)) as host:
        client = await host.client()
        for place in ("/static/v-0123456789abcdef", "/static"):
            answer = await client.get(f"{place}/modhost/shell.css")
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "no-cache"
        gone = await client.get("/static/v-0123456789abcdef/modhost/none.css")
        assert gone.status_code == 404


async def test_files_that_are_being_edited_are_never_kept(sqlite_url: str) -> None:
    config = production(sqlite_url)
    assert isinstance(config["host"], dict)
    config["host"]["environment"] = "development"
    async with running_host([BackgroundJobsModule()], config=config) as host:
        client = await host.client()
        for each in await assets_of(host):
            assert (await client.get(each)).headers["cache-control"] == "no-cache"


def test_the_version_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.css").write_text("b {}")
    versions = {version_of([tmp_path])}
    (tmp_path / "a" / "one.css").write_text("i {}")
    versions.add(version_of([tmp_path]))
    (tmp_path / "a" / "one.css").rename(tmp_path / "a" / "two.css")
    versions.add(version_of([tmp_path]))
    (tmp_path / "b").write_text("")
    versions.add(version_of([tmp_path]))
    assert len(versions) == 4
    assert version_of([tmp_path]) in versions
