"""A module that somebody else writes, installed by pip and nothing else."""

import json
import subprocess
import textwrap
import urllib.request
from pathlib import Path

import pytest

from environments import new_environment
from modhost.runtime.assembly import VERSION

PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "acme-greeting"
version = "3.2.1"
dependencies = ["modhost"]

[project.entry-points."modhost.modules"]
greeting = "acme_greeting:GreetingModule"
"""

MODULE = '''
from collections.abc import Sequence
from typing import Protocol

from modhost import ANYONE, Module, ModuleOptions, ServiceCollection, hookimpl
from modhost.web import Endpoints
from pydantic import BaseModel


class GreetingOptions(ModuleOptions):
    greeting: str = "Hello"


class Greeter(Protocol):
    def greet(self, name: str) -> str: ...


class PoliteGreeter:
    def __init__(self, options: GreetingOptions) -> None:
        self._greeting = options.greeting

    def greet(self, name: str) -> str:
        return f"{self._greeting}, {name}!"


class Greeting(BaseModel):
    text: str


async def greet(name: str, greeter: Greeter) -> Greeting:
    """Greet somebody."""
    return Greeting(text=greeter.greet(name))


class GreetingModule(Module):
    name = "greeting"
    version = "3.2.1"
    route_prefix = "/api/greetings"
    options = GreetingOptions

    @hookimpl
    def configure_services(self, services: ServiceCollection) -> None:
        services.add_singleton(Greeter, PoliteGreeter)

    @hookimpl
    def map_endpoints(self, endpoints: Endpoints) -> None:
        endpoints.get("/{name}", greet, permission=ANYONE)
'''


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment that has modhost, and the module of somebody else."""
    folder = tmp_path_factory.mktemp("third")
    project = folder / "acme-greeting"
    (project / "acme_greeting").mkdir(parents=True)
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "acme_greeting" / "__init__.py").write_text(MODULE)
    return new_environment(folder, project)


def config(folder: Path) -> Path:
    file = folder / "host.toml"
    text = f"""
        [host]
        bind = "127.0.0.1:0"
        database_url = "sqlite:///{folder}/third.db"
        environment = "development"
        [host.modules]
        disabled = ["background_jobs", "reports_example"]
        [modules.greeting]
        greeting = "Good evening"
    """
    file.write_text(textwrap.dedent(text))
    return file


def modhost(python: Path, *arguments: str) -> str:
    run = subprocess.run(
        [python, "-m", "modhost", *arguments], capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_it_is_found_with_its_version_and_its_routes(python: Path, tmp_path: Path) -> None:
    file = str(config(tmp_path))
    found = json.loads(modhost(python, "--config", file, "modules", "--json"))
    assert {(each["name"], each["version"], each["distribution"]) for each in found} == {
        ("modhost", VERSION, "modhost"),
        ("greeting", "3.2.1", "acme-greeting"),
    }
    routes = json.loads(modhost(python, "routes", "--json", "--config", file))
    assert ("GET", "/api/greetings/{name}") in {(each["method"], each["path"]) for each in routes}


def test_it_serves_with_its_options_and_its_services(python: Path, tmp_path: Path) -> None:
    command = [str(python), "-m", "modhost", "run", "--config", str(config(tmp_path))]
    with subprocess.Popen(command, cwd=tmp_path, text=True, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            printed = next(line for line in process.stdout if line.startswith("  address"))
            with urllib.request.urlopen(f"{printed.split()[1]}/api/greetings/Ada") as response:  # noqa: S310 - our own host
                answer = json.load(response)
        finally:
            process.terminate()
            code = process.wait(30)
    assert answer == {"text": "Good evening, Ada!"}
    assert code == 0
