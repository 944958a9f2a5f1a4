"""The host that is attacked: all modules, a consumer, a login provider and callers of each kind."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

import uvicorn

from administration.settings.shop import Shop
from fuzzing.exchange import ANSWER_SECONDS, Answer, Fault, Request, exchange
from fuzzing.inputs.kinds import JOBS, KindsModule
from fuzzing.oracle import LoggedErrors, check_answer
from identity.external.oidc.issuer import AUDIENCE, CLIENT, SECRET, Issuer, running_issuer
from modhost import Scope
from modhost.clock import SystemClock
from modhost.identity import LoginService, RoleService, TokenService, UserService, Visitor
from modhost.runtime.serving.protocol import server_config
from modhost.runtime.serving.server import open_socket
from modhost.testing import BlockingHost, blocking_host
from modhost_background_jobs.contracts import (
    BackgroundJobs,
    BackgroundJobsContracts,
    JobDetail,
    JobId,
)
from modhost_background_jobs.module import BackgroundJobsModule
from modhost_reports_example.module import ReportsModule

T = TypeVar("T")
COOKIE: Final = "modhost_session"
PASSWORD: Final = "correct horse battery"
VIEW: Final = ("BackgroundJobs.ViewJobs", "Reports.View", "Host.ViewAudit", "Host.ViewSettings")
CALLERS: Final = ("admin", "viewer", "browser", "anonymous")
KEEP_ALIVE: Final = timedelta(seconds=5)
HANG_SECONDS: Final = 120.0
JOB_SECONDS: Final = 120.0


class Hung(BaseException):
    """The host does not return; nothing can be tried on it any more."""


class AttackedHost:
    """A host that listens on a port too, and what there is to ask for on it."""

    def __init__(self, host: BlockingHost, issuer: Issuer, address: tuple[str, int]) -> None:
        self.host = host
        self.issuer = issuer
        self.address = address
        self.logged = LoggedErrors()
        self.names: dict[str, str] = {}
        self._secrets: dict[str, str] = {}
        self._uses = 0
        host.run(_add_people)

    def attack(self, request: Request) -> Answer:
        """Send a request, check its answer and what the host logs, and return the answer."""
        with self.logged.refused():
            answer = self.answer(request)
            check_answer(request, answer)
        return answer

    def answer(self, request: Request) -> Answer:
        """Send a request as its caller. Names in braces stand for ids of what there is."""
        self._renew_names()
        known = request.target, *(text for _, text in request.headers), request.body
        target, *texts, body = map(self._named, known)
        names = [name for name, _ in request.headers]
        headers = tuple(zip(names, texts, strict=True)) + self._credentials(request.caller)
        whole = Request(request.method, target, headers, body, request.caller)
        found: Answer = self._within(lambda: exchange(self.host.host.app, whole, "localhost"))
        return found

    def is_well(self) -> None:
        """Raise `Fault` unless the host is healthy."""
        answer = self.answer(Request("GET", "/health/ready"))
        if answer.status != 200:
            raise Fault(f"the host is not well: {answer.text}")

    def end_of(self, job_id: str) -> JobDetail:
        """Return a job when it has ended. Raises `Fault` for one that is lost, or does not end."""
        stop = time.monotonic() + JOB_SECONDS
        while True:
            found = self.host.run(_detail, JobId(UUID(job_id)))
            if found is None:
                raise Fault(f"the job {job_id} is lost")
            if found.state.is_final:
                return found
            if time.monotonic() > stop:
                raise Fault(f"the job {job_id} is {found.state} after {JOB_SECONDS} s")
            time.sleep(0.005)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call an async function with a scope of services."""
        return self._within(lambda: self._in_scope(function, *arguments))

    def session(self) -> str:
        """Return the secret of a new session of a user."""
        return self.host.run(_log_in)

    def token(self, caller: str) -> str:
        """Return the API token of a caller."""
        if caller not in self._secrets:
            roles = ("Admin",) if caller == "admin" else ()
            permissions = VIEW if caller == "viewer" else ()
            self._secrets[caller] = self.host.token(*permissions, roles=roles)
        return self._secrets[caller]

    async def _in_scope(self, function: Callable[..., Any], *arguments: Any) -> Any:
        async with self.host.running.scope() as scope:
            return await function(scope, *arguments)

    def _within(self, function: Callable[..., Any]) -> Any:
        future = self.host.portal.start_task_soon(function)
        try:
            return future.result(HANG_SECONDS)
        except TimeoutError as error:
            if isinstance(error, NotYet) and not future.done():
                raise Hung(f"no answer within {HANG_SECONDS} s") from error
            raise Fault(f"no answer within {ANSWER_SECONDS} s") from error

    def _credentials(self, caller: str) -> tuple[tuple[str, str], ...]:
        if caller == "browser":
            if "browser" not in self._secrets:
                self._secrets["browser"] = self.session()
            return (("Cookie", f"{COOKIE}={self._secrets['browser']}"),)
        if caller == "anonymous":
            return ()
        return (("Authorization", f"Bearer {self.token(caller)}"),)

    def _named(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def _renew_names(self) -> None:
        # What was tried may have deleted them, or logged the browser out.
        if self._uses % 100 == 0:
            self.names = self.host.run(_new_names)
            self._secrets.pop("browser", None)
        self._uses += 1


@contextmanager
def attacked(database_url: str) -> Iterator[AttackedHost]:
    """Run the host on a migrated database."""
    clock = SystemClock()
    with running_issuer(clock) as issuer:
        oidc = {
            "issuer": issuer.url,
            "client_id": CLIENT,
            "client_secret": SECRET,
            "audience": AUDIENCE,
            "roles_claim": "realm_access.roles",
            "roles": {"ops": "Admin"},
        }
        jobs = {"worker_mode": "Consumer", "max_concurrency": 4}
        config = {
            "host": {"database_url": database_url},
            "modules": {"oidc": oidc, "background_jobs": jobs},
        }
        modules = [BackgroundJobsModule(), ReportsModule(), KindsModule(), Shop()]
        with blocking_host(modules, config=config, clock=clock) as host:
            with _listening(host) as address:
                found = AttackedHost(host, issuer, address)
                logging.getLogger().addHandler(found.logged)
                try:
                    yield found
                finally:
                    logging.getLogger().removeHandler(found.logged)


@contextmanager
def _listening(host: BlockingHost) -> Iterator[tuple[str, int]]:
    config = server_config(host.host.app, KEEP_ALIVE, graceful_seconds=1)
    server = uvicorn.Server(config)
    with open_socket("127.0.0.1", 0) as listener:
        serving = host.portal.start_task_soon(server.serve, [listener])
        try:
            yield listener.getsockname()
        finally:
            server.should_exit = True
            with suppress(Exception):
                serving.result(10)


async def _add_people(scope: Scope) -> None:
    await (await scope.get(RoleService)).add("Lookers", VIEW)
    for name, role in (("vera", "Lookers"), ("anna", "Admin")):
        await (await scope.get(UserService)).add(name, PASSWORD, (role,))


async def _log_in(scope: Scope) -> str:
    login = await scope.get(LoginService)
    return await login.with_password("vera", PASSWORD, Visitor("127.0.0.1"))


async def _detail(scope: Scope, job_id: JobId) -> JobDetail | None:
    return await (await scope.get(BackgroundJobsContracts)).get_job_detail(job_id)


async def _new_names(scope: Scope) -> dict[str, str]:
    """Return ids of a new thing of each kind."""
    jobs = await scope.get(BackgroundJobs)
    job = await jobs.enqueue(JOBS["Anything"], {"a": 1}, tags=("fuzz",))
    later = await jobs.schedule(JOBS["Text"], SystemClock().now().replace(year=2099), "later")
    recurring = await jobs.add_recurring(
        JOBS["Text"], name=f"job {later}", cron_expression="0 0 1 1 *", data="a"
    )
    users = await scope.get(UserService)
    name = f"victim {later}"
    await users.add(name, PASSWORD, ())
    user = next(each for each in await users.list() if each.name == name)
    tokens = await scope.get(TokenService)
    await tokens.create(f"token {later}", ["Reports.View"], ())
    token = max(await tokens.list(), key=lambda each: str(each.id))
    names = {"job": job, "later": later, "recurring": recurring, "user": user.id, "token": token.id}
    return {name: str(value) for name, value in names.items()}
