"""Try wheels as whoever installs them will: in an environment that has nothing else."""

import os
import re
import subprocess
import urllib.request
from collections.abc import Sequence
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Final

from release.distributions import Incomplete

_PAGES: Final = (
    *("/health/ready", "/admin", "/admin/jobs", "/reports", "/openapi.json"),
    *("/static/modhost/shell.css", "/static/background_jobs/jobs.css"),
)


def try_out(root: Path, built: Sequence[Path], folder: Path, uv: str) -> None:
    """Install wheels into a new environment, start the host there, and read what it serves.

    Their dependencies have the versions of the lock file.

    Args:
        root: the repository, for its lock file.
        built: the wheels; other files are left out.
        folder: an empty one, for the environment and what the host writes.
        uv: the program that installs.

    Raises:
        Incomplete: it does not start, or does not serve everything.

    """
    environment = folder / "environment"
    python = environment / "bin" / "python"
    wheels = [str(each) for each in built if each.suffix == ".whl"]
    only_theirs = ("--frozen", "--no-dev", "--no-install-workspace")
    into = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(environment)}
    into.pop("VIRTUAL_ENV", None)
    for words in (
        ["sync", "--quiet", *only_theirs, "--no-python-downloads", "--project", str(root)],
        ["pip", "install", "--quiet", "--no-deps", "--offline", "--python", str(python), *wheels],
        ["pip", "check", "--quiet", "--python", str(python)],
    ):
        done = subprocess.run([uv, *words], env=into, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Incomplete(f"`uv {words[0]} {words[1]}` failed: {done.stderr}")
    bare = {name: text for name, text in os.environ.items() if not name.startswith("MODHOST")}
    bare.pop("PYTHONPATH", None)
    variables = bare | {"MODHOST__HOST__BIND": "127.0.0.1:0"}
    log = folder / "log"
    with log.open("w") as errors, subprocess.Popen(
        [environment / "bin" / "modhost", "run"], cwd=folder, env=variables, text=True,
        stdout=subprocess.PIPE, stderr=errors,
    ) as process:  # fmt: skip
        try:
            _visit(process)
        except (Incomplete, OSError) as error:
            msg = f"The host does not work: {error}\n{log.read_text()}"
            raise Incomplete(msg) from error
        finally:
            process.terminate()
            code = process.wait(60)
    if code:
        raise Incomplete(f"The host ended with {code}: {log.read_text()}")


def _visit(process: "subprocess.Popen[str]") -> None:
    """Log in by the link that a new host prints, and ask for pages of each distribution."""
    link = None
    for line in process.stdout or ():
        link = re.search(r"log in +(http://[\w.:]+)(/\S+)", line)
        if link is not None:
            break
    if link is None:
        raise Incomplete("it has not started.")
    cookies = urllib.request.HTTPCookieProcessor(CookieJar())
    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
    for path in (link[2], *_PAGES):
        # Whatever is not there raises `HTTPError`, which names the address.
        browser.open(link[1] + path, timeout=20).close()
