"""The configuration: a file, the environment and a secret file, as commands read them."""

import contextlib
import io
import logging
import os
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import anyio
from hypothesis import strategies as st

from fuzzing.exchange import Fault
from fuzzing.inputs.texts import texts, varied
from fuzzing.oracle import LoggedErrors, with_bound
from modhost.checks import StartupError
from modhost.cli.main import main
from modhost.configuration import Configuration, load_configuration
from modhost.testing import running_host
from modhost_background_jobs.contracts import BackgroundJobs, JobState
from modhost_reports_example.contracts import ReportRequest, ReportType
from modhost_reports_example.jobs import GenerateReportJob

ROOT: Final = Path(__file__).resolve().parents[3]
SECRET: Final = "hunter2-of-the-fuzzer"
FILES: Final = (
    *((ROOT / "config" / name).read_text("utf-8") for name in ("host.toml", "producer.toml")),
    '[host]\nbind = "127.0.0.1:0"\nallowed_hosts = ["a.example"]\n',
    '[host]\naccent = "#336699"\nlogo = "logo.svg"\ntrace_url = "https://a/{trace_id}"\n',
    "[modules.background_jobs]\nretention = 0\nqueue_concurrency = { a = 1 }\n",
    f'[modules.oidc]\nissuer = "https://a"\nclient_id = "a"\nclient_secret = "{SECRET}"\n',
    '[modules.oidc]\nissuer = "https://a"\nclient_id = "a"\nclient_secret_file = "secret"\n',
    f'[host]\ndatabase_url = "postgresql://a:{SECRET}@localhost/b"\n',
    '[host.modules]\ndisabled = ["oidc"]\non_error = "skip"\n',
    "a = [[[[]]]]\n",
    "a" + ".a" * 3000 + " = 1\n",
    "a = " + "[" * 3000 + "]" * 3000 + "\n",
)
KEYS: Final = (
    *("bind", "database_url", "environment", "log_level", "log_format", "trace_url", "start_wait"),
    *("start_timeout", "shutdown_grace", "allowed_hosts", "trusted_proxies", "behind_tls"),
    *("public_url", "keep_alive", "name", "environment_name", "logo", "accent", "accent_dark"),
    *("app_version", "silence", "modules", "database_url_file", "poll_interval", "retention"),
    *("worker_mode", "max_concurrency", "queues", "queue_concurrency", "priority_aging"),
    *("heartbeat_interval", "stall_timeout", "max_attempts", "retry_base_delay", "max_data_size"),
    *("progress_flush_interval", "max_log_entries", "issuer", "client_id", "client_secret"),
    *("client_secret_file", "audience", "roles", "leeway", "settings", "upload_folder"),
)
SECTIONS: Final = (
    "host",
    "host.modules",
    "modules.background_jobs",
    "modules.reports_example",
    "modules.oidc",
    "modules",
    "modules.unknown",
    "other",
    "",
    "modules.'é\\u0000'",
)
VALUES: Final = (
    *("true", "0", "-1", "1.5", "nan", "inf", "2026-11-29", "07:32:00", '"1d"', '"-1s"', "[]"),
    *('""', '"999999999999d"', '"1e308s"', "999999999999999999999", '"\\u0000"', '"nan"', "[1]"),
    *('["*"]', "{}", "{ a = 1 }", '{ a = { b = "c" } }', '"0.0.0.0:8000"', '"[::]:0"', '["::/0"]'),
    *('"sqlite:///x.db"', '"sqlite:////"', '"sqlite://"', '"postgresql://"', '"mysql://a/b"'),
    *('"https://a.example/x/"', '"http://[::1"', '"https://a:99999"', '"#ffffff"', '"#12"'),
    *(
        '"distribution:pip"',
        '"distribution:\\n"',
        '"../../etc/passwd"',
        '"/"',
        '"secret"',
        '["!a"]',
    ),
)
CPU_SECONDS: Final = 20.0
START_SECONDS: Final = 120
REPORT: Final = ReportRequest(type=ReportType.YEARLY, source="seattle-weather")


@dataclass
class ConfigurationFiles:
    """Each input is a file, variables of the environment and the content of a secret file."""

    name: str = "configuration"

    @property
    def inputs(self) -> st.SearchStrategy[Any]:
        value = st.one_of(st.sampled_from(VALUES), texts().map(_quoted))
        line = st.tuples(st.sampled_from(KEYS), value).map(" = ".join)
        section = st.tuples(st.sampled_from(SECTIONS), st.lists(line, max_size=3)).map(
            lambda found: "\n".join((f"[{found[0]}]", *found[1], ""))
        )
        built = st.lists(section, max_size=3).map("".join)
        file = st.one_of(built, varied(FILES), st.sampled_from(FILES), texts(*FILES))
        variable = st.tuples(
            st.sampled_from(SECTIONS).map(lambda each: each.upper().replace(".", "__")),
            st.one_of(st.sampled_from(KEYS).map(str.upper), texts("A__B", "__", "_FILE")),
        ).map(lambda pair: f"MODHOST__{pair[0]}__{pair[1]}")
        plain = st.one_of(texts(*VALUES, "1d", "true", "secret", '{"a": 1}', "[1"))
        return st.fixed_dictionaries(
            {
                "file": file.map(lambda text: _bytes_of(text)),
                "environ": st.dictionaries(
                    variable.map(_bytes_of), plain.map(_bytes_of), max_size=3
                ),
                "secret": texts(SECRET, f"{SECRET}\r\n", "\ufeffa", "").map(_bytes_of),
                "command": st.sampled_from(("config", "routes", "start", "permissions")),
            }
        )

    def attack(self, given: Any) -> str:
        variables = {
            name: text
            for name, text in given["environ"].items()
            # What the system does not take never comes to the program.
            if name.isascii() and not set("=\0") & set(name) and "\0" not in text
        }
        with TemporaryDirectory() as folder, _standing_in(folder, variables):
            file = Path(folder) / "host.toml"
            file.write_bytes(given["file"].encode("latin-1"))
            (Path(folder) / "secret").write_bytes(given["secret"].encode("latin-1"))
            is_start = given["command"] == "start"
            command = "routes" if is_start else given["command"]
            code, out, errors = with_bound(CPU_SECONDS, lambda: _run(file, command))
            if is_start and code == 0:
                anyio.run(_started, load_configuration(file, os.environ))
        if code not in (0, 1, 2) or "Traceback" in errors:
            raise Fault(f"exit code {code}: {errors}")
        if code != 0 and not errors.strip():
            raise Fault(f"exit code {code} without a word")
        if SECRET in out or (SECRET in errors and _is_toml(given["file"])):
            raise Fault(f"the secret is shown: {out}{errors}")
        return f"{given['command']} {code}"


async def _started(configuration: Configuration) -> None:
    """Start what a command took, as a consumer on a database of its own, and run a job."""
    tables = configuration.tables
    jobs = {**tables.get("modules", {}).get("background_jobs", {}), "worker_mode": "Consumer"}
    config = {**tables, "modules": {**tables.get("modules", {}), "background_jobs": jobs}}
    config["host"] = {**tables.get("host", {}), "database_url": f"sqlite:///{Path.cwd()}/start.db"}
    config["host"] |= {"environment": "development"}
    config["host"].pop("database_url_file", None)
    logged = LoggedErrors()
    logging.getLogger().addHandler(logged)
    try:
        with logged.refused(), anyio.fail_after(START_SECONDS):
            async with running_host(config=config) as host, host.scope() as scope:
                queue = await scope.get(BackgroundJobs)
                job_id = await queue.enqueue(GenerateReportJob, REPORT)
                ended = await queue.wait(job_id, timedelta(seconds=START_SECONDS))
                if ended.state is not JobState.COMPLETED:
                    raise Fault(f"a job is {ended.state}: {ended.error}")
    except StartupError as error:
        # Only a start finds these.
        if not error.findings:
            raise
    finally:
        logging.getLogger().removeHandler(logged)


def _run(file: Path, command: str) -> tuple[int, str, str]:
    out, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            main(["--config", str(file), command])
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
            return code, out.getvalue(), errors.getvalue()
    return 0, out.getvalue(), errors.getvalue()


@contextlib.contextmanager
def _standing_in(folder: str, variables: dict[str, str]) -> Iterator[None]:
    before, environ = Path.cwd(), dict(os.environb)
    os.chdir(folder)
    try:
        for name, text in variables.items():
            os.environb[name.encode("latin-1")] = text.encode("latin-1")
        yield
    finally:
        os.chdir(before)
        os.environb.clear()
        os.environb.update(environ)


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except ValueError:
        return False
    return True


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _bytes_of(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")
