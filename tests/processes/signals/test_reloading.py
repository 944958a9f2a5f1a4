"""`--reload`: what is edited is served a moment later, and running jobs end before that."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx2
import pytest
from click.testing import CliRunner

from modhost.cli.main import cli
from processes.host_process import HostProcess, until
from sweeps import EXHAUSTIVE

pytestmark = pytest.mark.anyio

MODULE = '''
import asyncio
import os
from pathlib import Path

from modhost import ANYONE, Module, ModuleOptions, hookimpl
from modhost.web import Page
from modhost_background_jobs.contracts import BackgroundJobs, ModuleJob, add_module_job

WORD = "first"


class Options(ModuleOptions):
    suffix: str = "!"


class Waiting(ModuleJob):
    async def execute(self, context):
        Path("started").touch()
        while not Path("gate").exists():
            await asyncio.sleep(0.01)
        Path("finished").touch()


async def enqueue(jobs: BackgroundJobs) -> str:
    """Enqueue a job that waits for the gate."""
    return str(await jobs.enqueue(Waiting))


async def show(options: Options) -> Page:
    """Show what can be edited."""
    return Page("edited.html", {"word": WORD + options.suffix}, "Edited")


class Edited(Module):
    name = "edited"
    route_prefix = "/api/edited"
    view_prefix = "/edited"
    requires = ("background_jobs",)
    options = Options

    @hookimpl
    def configure_services(self, services):
        add_module_job(services, Waiting)

    @hookimpl
    def map_endpoints(self, endpoints):
        endpoints.post("/", enqueue, permission=ANYONE)

    @hookimpl
    def map_pages(self, pages):
        pages.get("/", show, permission=ANYONE)
'''
TEMPLATE = '{% extends "modhost/base.html" %}{% block content %}plain {{ word }}{% endblock %}'
CONFIG = """
[host]
bind = "127.0.0.1:0"
database_url = "sqlite:///edited.db"
environment = "development"
[host.modules]
disabled = ["reports_example"]
[modules.background_jobs]
worker_mode = "Consumer"
"""


class Editor:
    """A module that is installed where it is edited, and a host that reloads it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.package = folder / "installed" / "acme_edited"
        (self.package / "templates").mkdir(parents=True)
        info = folder / "installed" / "edited-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: edited\nVersion: 1.0\n")
        entry = "[modhost.modules]\nedited = acme_edited:Edited\n"
        (info / "entry_points.txt").write_text(entry)
        (self.package / "templates" / "edited.html").write_text(TEMPLATE)
        self.code = self.package / "__init__.py"
        self.code.write_text(MODULE)
        (folder / "config").mkdir()
        (folder / "config" / "host.toml").write_text(CONFIG)

    def start(self, command: str, **variables: str) -> HostProcess:
        bare = {name: text for name, text in os.environ.items() if not name.startswith("MODHOST")}
        installed = {"PYTHONPATH": str(self.folder / "installed")}
        environment = bare | installed | variables
        self.process = HostProcess([command, "--reload"], environment, self.folder / "log")
        return self.process

    @property
    def url(self) -> str:
        """Where the newest host serves."""
        found = [line for line in self.process.log.splitlines() if line.startswith("  address ")]
        return found[-1].split()[1]

    async def shows(self, text: str) -> None:
        """Wait until the page shows a text."""
        with anyio.fail_after(60):
            while True:
                try:
                    async with httpx2.AsyncClient() as client:
                        if text in (await client.get(f"{self.url}/edited")).text:
                            return
                except (httpx2.TransportError, IndexError):
                    pass
                await anyio.sleep(0.02)

    async def edited_while_a_job_runs(self) -> HostProcess:
        """Start a host and a job that waits at its gate, and edit the code."""
        host = self.start("run")
        await self.shows("plain first!")
        async with httpx2.AsyncClient() as client:
            await client.post(f"{self.url}/api/edited")
        await until((self.folder / "started").exists, "the job to start")
        self.code.write_text(MODULE.replace('"first"', '"other"'))
        return host


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[Editor]:
    edited = Editor(tmp_path)
    try:
        yield edited
    finally:
        edited.process.kill()


async def test_code_templates_and_configuration_are_served_as_edited(editor: Editor) -> None:
    host = await editor.edited_while_a_job_runs()
    await host.logs(r"Reloading: installed/acme_edited/__init__\.py changed\.")
    assert not (editor.folder / "finished").exists()
    (editor.folder / "gate").touch()
    await editor.shows("plain other!")
    assert (editor.folder / "finished").exists()

    # As an editor that replaces a file: the other one is none of the module's.
    (editor.package / "4913").write_text(MODULE + "\nclass :")
    (editor.package / "4913").rename(editor.code)
    await host.logs(r"Not reloaded: .*acme_edited/__init__\.py, line \d+")
    await editor.shows("plain other!")
    config = editor.folder / "config" / "host.toml"
    # In this order whatever is read between two of the writes is as good as before.
    editor.code.write_text(MODULE.replace('"first"', '"third"'))
    config.write_text("[host\n")
    await host.logs(r"The host has ended \(2\); a change starts it again\.")
    config.write_text(f'{CONFIG}[modules.edited]\nsuffix = "?"\n')
    (editor.package / "templates" / "edited.html").write_text(TEMPLATE.replace("plain", "fancy"))
    await editor.shows("fancy third?")
    host.signal(signal.SIGTERM)
    assert await host.exit_code() == 0, host.log
    assert host.log.count("The host has ended") == 1
    assert "4913" not in host.log
    assert "watchfiles" not in host.log


async def test_what_is_saved_while_the_host_stops_is_parsed_before_the_next_start(
    editor: Editor,
) -> None:
    host = await editor.edited_while_a_job_runs()
    await host.logs("Reloading: ")
    editor.code.write_text(MODULE + "\nclass :")
    await host.logs("Not reloaded: ")
    assert not (editor.folder / "finished").exists()
    (editor.folder / "gate").touch()
    await until((editor.folder / "finished").exists, "the job to end")
    editor.code.write_text(MODULE.replace('"first"', '"third"'))
    await editor.shows("plain third!")
    host.signal(signal.SIGTERM)
    assert await host.exit_code() == 0, host.log
    assert host.log.count("Reloading: ") == 1
    assert host.log.count("  address ") == 2
    assert "The host has ended" not in host.log


@EXHAUSTIVE
async def test_a_worker_starts_again_too(editor: Editor) -> None:
    worker = editor.start("worker")
    await worker.ready()
    editor.code.write_text(MODULE.replace('"first"', '"other"'))
    await worker.logs(r"^  health ", times=2)
    worker.signal(signal.SIGINT)
    assert await worker.exit_code() == 0, worker.log


@EXHAUSTIVE
async def test_without_a_configuration_it_logs_as_the_host_does(editor: Editor) -> None:
    (editor.folder / "config" / "host.toml").unlink()
    host = editor.start("run", MODHOST__HOST__BIND="127.0.0.1:0")
    await editor.shows("plain first!")
    host.signal(signal.SIGTERM)
    assert await host.exit_code() == 0, host.log
    assert "reloading: SIGTERM: stopping." in host.log
    assert "{" not in host.log


@pytest.mark.parametrize("command", ["run", "worker"])
def test_without_watchfiles_it_is_refused_in_one_line(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    monkeypatch.delitem(sys.modules, "modhost.runtime.serving.reloading", raising=False)
    refused = CliRunner().invoke(cli, [command, "--reload"])
    assert (refused.exit_code, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "pip install 'modhost[reload]'" in refused.stderr
