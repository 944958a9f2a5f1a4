"""Configurations as an operator writes them."""

from pathlib import Path

from modhost.configuration import Configuration, load_configuration


def load(folder: Path, text: str, **environ: str) -> Configuration:
    file = folder / "host.toml"
    file.write_text(text)
    return load_configuration(file, environ)


def only_problem(configuration: Configuration) -> str:
    (finding,) = configuration.findings
    return str(finding)
