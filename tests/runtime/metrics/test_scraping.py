"""`/metrics` is for scrapers: who may read it, what it costs, and what it says of the host."""

import subprocess
import sys

import anyio
import pytest

from modhost.metrics import Samples
from modhost.runtime.metrics import collection
from modhost.runtime.metrics.own import HOST_METRICS
from modhost.testing import RunningHost, running_host
from runtime.metrics.measuring import AGE, LENT, METRICS, Library
from scraping import VIEW_METRICS, Scrape, scrape

pytestmark = pytest.mark.anyio


async def test_each_metric_is_there_as_it_is_declared(host: RunningHost) -> None:
    found = await scrape(await host.client(VIEW_METRICS))
    found.fits(HOST_METRICS)
    assert found.value("modhost_host", role="web", environment="development") == 1
    assert found.value("modhost_database_up") == 1
    assert found.value("process_resident_memory_bytes") > 1_000_000
    assert found.value("modhost_database_max_connections", pool="readers") == 4
    assert set(found.values("modhost_hosted_service_up")) == {1}


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
async def test_nobody_is_sent_to_the_login(host: RunningHost, accept: str) -> None:
    client = await host.client()
    answer = await client.get("/metrics", headers={"Accept": accept})
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    client = await host.client("BackgroundJobs.*")
    assert (await client.get("/metrics", headers={"Accept": accept})).status_code == 403


async def test_requests_are_counted_by_the_template_of_their_route(host: RunningHost) -> None:
    client = await host.client(VIEW_METRICS, "BackgroundJobs.ViewJobs")
    for path in ("/api/jobs/1", "/api/jobs/2/", "/nowhere/1", "/nowhere/2", "/static/modhost/no"):
        assert (await client.get(path)).status_code == 404
    await client.request("BREW", "/api/jobs")
    await client.get("/api/jobs")
    found = await scrape(client)
    counted = "modhost_http_requests_total"
    assert found.value(counted, method="GET", route="/api/jobs/{id}", status="404") == 2
    assert found.value(counted, route="(unknown)") == 2
    assert found.value(counted, route="/static/modhost", status="404") == 1
    assert found.value(counted, method="OTHER", route="/api/jobs", status="405") == 1
    assert found.value(counted, method="GET", route="/api/jobs", status="200") == 1
    assert found.value("modhost_http_request_seconds_count", route="/api/jobs") == 2
    assert found.value("modhost_http_request_seconds_bucket", route="/api/jobs", le="+Inf") == 2


async def test_a_module_adds_its_own() -> None:
    async def add(samples: Samples) -> None:
        for kind in ("novel", "atlas", "map", "plan"):
            samples.add(LENT, 1, kind=kind)
            samples.add(AGE, len(kind), kind=kind)

    async with running_host([Library(add)]) as host:
        found = await scrape(await host.client(VIEW_METRICS))
    found.fits([*HOST_METRICS, *METRICS])
    # Beyond `max_series` they are one.
    assert found.value("library_lent_total", kind="novel") == 4
    assert found.value("library_lent_total", kind="atlas") == 1
    assert found.value("library_lent_total", kind="(other)") == 2
    assert found.value("library_age_days", kind="(other)") == 5
    assert found.value("library_wait_seconds_bucket", le="0.1") == 1
    assert found.value("library_wait_seconds_bucket", le="1.0") == 2
    assert found.value("library_wait_seconds_count") == 3
    assert found.value("library_wait_seconds_sum") == pytest.approx(7.6)
    assert found.value("modhost_module_metrics_up", module="library") == 1


async def test_scrapers_that_come_together_share_one_reading(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # However long the last of them takes to come.
    monkeypatch.setattr(collection, "MAX_AGE", 60.0)
    library = Library(lambda _: anyio.sleep(0.05))
    async with running_host([library]) as host:
        client = await host.client(VIEW_METRICS)
        scrapes: list[Scrape] = []

        async def come() -> None:
            scrapes.append(await scrape(client))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(come)
    assert len(scrapes) == 5
    assert library.collected == 1


async def hang(_: Samples) -> None:
    await anyio.sleep_forever()


async def fail(samples: Samples) -> None:
    samples.add(LENT, 1, sort="novel")


async def number_a_label(samples: Samples) -> None:
    samples.add(LENT, 1, kind=7)  # type: ignore[arg-type]


async def exceed_floats(samples: Samples) -> None:
    samples.add(LENT, 10**400, kind="novel")


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        (hang, ""),
        (fail, "The labels of library_lent_total are kind, not sort."),
        (number_a_label, "The label kind of library_lent_total is 7; give it a text."),
        (exceed_floats, "int too large to convert to float"),
    ],
)
async def test_a_module_that_fails_or_hangs_harms_no_other(
    then: object, reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if then is hang:
        monkeypatch.setattr(collection, "TIMEOUT", 2.0)
    async with running_host([Library(then)]) as host:  # type: ignore[arg-type]
        found = await scrape(await host.client(VIEW_METRICS))
    assert found.value("modhost_module_metrics_up", module="library") == 0
    assert found.value("modhost_database_up") == 1
    # What it had added until then is there.
    assert found.value("library_lent_total", kind="novel") == 3
    assert reason in caplog.text
    assert ("The labels of" in caplog.text) is (then is fail)


async def test_any_name_of_the_machine_will_do() -> None:
    config = {"host": {"allowed_hosts": ["jobs.example.org"]}}
    async with running_host([], config=config) as host:
        client = await host.client(VIEW_METRICS)
        await scrape(client)
        assert (await client.get("/metrics/", headers={"Host": "10.0.0.7"})).status_code == 200
        assert (await client.get("/metricsx")).status_code == 400
        assert (await client.head("/metrics")).text == ""


async def test_a_worker_answers_everybody_on_its_machine_and_asks_others_for_a_token() -> None:
    async with running_host([], role="worker") as host:
        found = await scrape(await host.client())
        found.fits(HOST_METRICS)
        assert found.value("modhost_host", role="worker") == 1
    config = {"host": {"bind": "0.0.0.0:8001"}}
    async with running_host([], config=config, role="worker") as host:
        assert (await (await host.client()).get("/metrics")).status_code == 401
        assert (await (await host.client("Host.ViewAudit")).get("/metrics")).status_code == 403
        await scrape(await host.client(VIEW_METRICS))


def test_who_is_never_scraped_does_not_import_the_library() -> None:
    built = "from modhost.runtime.assembly import build_host\n"
    built += "from modhost.configuration import Configuration\n"
    built += "build_host(Configuration({}), 'web')\n"
    built += "import sys\nprint('prometheus_client' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", built], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
