"""One trace from a request through what it enqueues to the attempts, and what those enqueue."""

import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from uuid import UUID

import anyio
import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from hosts import HostedJobs, host_with
from modhost.configuration import HostOptions
from modhost.testing import running_host
from modhost_background_jobs.contracts import JobState
from modhost_background_jobs.module import BackgroundJobsModule
from telemetry.log_lines import written
from telemetry.traced_module import BranchJob, ElsewhereJob, LeafJob, TracedModule
from telemetry.traces import collected, ids_of, parent_of

CONSUMER = {"worker_mode": "Consumer", "retry_base_delay": "10ms"}
REMOTE = "0af7651916cd43dd8448eb211c80319c"


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    with collected() as exporter:
        yield exporter


@pytest.fixture
async def jobs(database_url: str) -> AsyncIterator[HostedJobs]:
    async with host_with(database_url, TracedModule(), background_jobs=CONSUMER) as jobs:
        yield jobs


async def until(spans: InMemorySpanExporter, name: str, count: int = 1) -> None:
    with anyio.fail_after(20):
        while [span.name for span in spans.get_finished_spans()].count(name) < count:
            await anyio.sleep(0.01)


@pytest.mark.anyio
async def test_a_request_its_jobs_and_theirs_are_one_trace(
    spans: InMemorySpanExporter, jobs: HostedJobs
) -> None:
    client = await jobs.host.client()
    headers = {"traceparent": f"00-{REMOTE}-b7ad6b7169203331-01", "X-Request-ID": "r-1"}
    with written() as log:
        response = await client.post("/api/traced/7", headers=headers)
        await until(spans, "process traced.LeafJob")
    found = list(spans.get_finished_spans())
    assert ids_of(found) == {REMOTE}
    request, *rest = sorted(found, key=lambda span: span.start_time or 0)
    assert (request.name, request.kind) == ("POST /api/traced/{number}", SpanKind.SERVER)
    assert request.attributes is not None
    assert request.attributes["http.route"] == "/api/traced/{number}"
    assert request.attributes["http.response.status_code"] == 200
    assert request.attributes["request_id"] == "r-1"
    assert [(span.name, span.kind, parent_of(span, found)) for span in rest] == [
        ("enqueue traced.BranchJob", SpanKind.PRODUCER, "POST /api/traced/{number}"),
        ("process traced.BranchJob", SpanKind.CONSUMER, "enqueue traced.BranchJob"),
        ("process traced.BranchJob", SpanKind.CONSUMER, "enqueue traced.BranchJob"),
        ("enqueue traced.LeafJob", SpanKind.PRODUCER, "process traced.BranchJob"),
        ("process traced.LeafJob", SpanKind.CONSUMER, "enqueue traced.LeafJob"),
    ]
    enqueued, failed, retried, *_ = rest
    assert enqueued.context is not None
    links = [link.context.span_id for span in (failed, retried) for link in span.links]
    assert links == [enqueued.context.span_id] * 2
    assert failed.status.status_code is StatusCode.ERROR
    assert failed.status.description == "ValueError: hush-hush"
    assert failed.attributes is not None
    assert dict(failed.attributes) == {
        "messaging.system": "modhost",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "traced.BranchJob",
        "messaging.message.id": response.json(),
        "modhost.job.queue": "default",
        "modhost.job.attempt": 1,
        "modhost.job.outcome": "retried",
        "error.type": "ValueError",
    }
    assert retried.status.status_code is StatusCode.UNSET
    assert {line["trace_id"] for line in log.of("traced")} == {REMOTE}


@pytest.mark.anyio
async def test_every_way_to_enqueue_continues_the_trace(
    spans: InMemorySpanExporter, jobs: HostedJobs
) -> None:
    client = await jobs.host.client()
    ids = (await client.post("/api/traced")).json()
    details = [await jobs.reaches(UUID(id_), JobState.COMPLETED) for id_ in ids]
    (trace_id,) = ids_of(list(spans.get_finished_spans()))
    assert {detail.trace_id for detail in details} == {trace_id}
    assert len(details) == 8


@pytest.mark.anyio
async def test_a_subscriber_in_the_process_continues_the_trace(
    spans: InMemorySpanExporter, jobs: HostedJobs
) -> None:
    client = await jobs.host.client()
    assert (await client.post("/api/traced/fell")).status_code == 204
    await until(spans, "process traced.LeafJob")
    found = list(spans.get_finished_spans())
    assert len(ids_of(found)) == 1
    (enqueued,) = [span for span in found if span.name == "enqueue traced.LeafJob"]
    assert parent_of(enqueued, found) == "POST /api/traced/fell"


@pytest.mark.anyio
async def test_a_recurring_run_begins_a_trace(
    spans: InMemorySpanExporter, jobs: HostedJobs
) -> None:
    scheduling = jobs.scheduling
    recurring = await scheduling.add_recurring(LeafJob, name="leaf", cron_expression="0 0 1 1 *")
    first, second = [await scheduling.run_recurring_now(recurring) for _ in range(2)]
    traces = {(await jobs.ends(each)).trace_id for each in (first, second)}
    assert len(traces) == 2
    assert None not in traces


@pytest.mark.anyio
async def test_a_job_in_a_process_of_its_own_is_part_of_the_trace(
    spans: InMemorySpanExporter, sqlite_url: str
) -> None:
    async with host_with(sqlite_url, TracedModule(), background_jobs=CONSUMER) as jobs:
        job = await jobs.ends(await jobs.scheduling.enqueue(ElsewhereJob))
    names = {span.name for span in spans.get_finished_spans()}
    assert job.state is JobState.COMPLETED, job.error
    assert names >= {"enqueue traced.ElsewhereJob", "process traced.ElsewhereJob"}
    (_,) = ids_of([span for span in spans.get_finished_spans() if "Elsewhere" in span.name])


@pytest.mark.anyio
async def test_without_an_sdk_a_job_belongs_to_no_trace(jobs: HostedJobs) -> None:
    client = await jobs.host.client()
    headers = {"traceparent": f"00-{REMOTE}-b7ad6b7169203331-01"}
    with written() as log:
        job_id = UUID((await client.post("/api/traced/7", headers=headers)).json())
        job = await jobs.reaches(job_id, JobState.COMPLETED)
    assert job.trace_id is None
    assert "trace_id" not in log.text
    assert job.job_type == f"traced.{BranchJob.__name__}"


@pytest.mark.anyio
async def test_the_page_of_a_job_and_its_json_have_the_trace(
    spans: InMemorySpanExporter, sqlite_url: str
) -> None:
    config = {
        "host": {"database_url": sqlite_url, "trace_url": "https://traces.example/t/{trace_id}"},
    }
    modules = [BackgroundJobsModule(), TracedModule()]
    async with running_host(modules, config=config) as host:
        client = await host.client(roles=["Admin"])
        job_id = (await client.post("/api/traced/7")).json()
        (trace_id,) = ids_of([span for span in spans.get_finished_spans() if "enq" in span.name])
        assert (await client.get(f"/api/jobs/{job_id}")).json()["trace_id"] == trace_id
        page = (await client.get(f"/admin/jobs/{job_id}")).text
    link = f'<a href="https://traces.example/t/{trace_id}"><code>{trace_id}</code></a>'
    assert link in page


@pytest.mark.parametrize(
    "url",
    [
        "https://traces.example/",
        "javascript:{trace_id}",
        "traces.example/{trace_id}",
        "https://traces.example/{trace_id}/{span_id}",
        "https://traces.example/{trace_id",
    ],
)
def test_an_address_of_traces_that_is_none_stops_the_start(url: str) -> None:
    with pytest.raises(ValueError, match=re.escape("write one like 'https://traces.example.org/")):
        HostOptions(trace_url=url)


def test_a_host_without_an_sdk_does_not_import_opentelemetry() -> None:
    program = """
import sys, anyio
from modhost.testing import running_host

async def main():
    async with running_host(config={"modules": {"background_jobs": {"worker_mode": "Consumer"}}}):
        print([name for name in sys.modules if name.startswith("opentelemetry")])

anyio.run(main)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stderr
