"""Separate environments, in which pip installs what the tests examine from outside."""

import site
import subprocess
import sys
from pathlib import Path


def new_environment(folder: Path, *projects: Path) -> Path:
    """Return the interpreter of a new environment in which pip has installed some projects.

    It shares all that the tests run with, pip and the build tool too: nothing is downloaded again.
    What is installed in it goes before that.
    """
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    shared = [f"import site; site.addsitedir({path!r})" for path in site.getsitepackages()]
    (packages / "shared.pth").write_text("\n".join(shared))
    python = environment / "bin" / "python"
    # The dependencies are shared; what is shared as well, and stays where it is, is installed anew.
    options = ("--quiet", "--no-index", "--no-build-isolation", "--no-deps", "--ignore-installed")
    installed = subprocess.run(
        [python, "-m", "pip", "install", *options, *projects],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr
    return python
