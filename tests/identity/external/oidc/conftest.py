"""A host that trusts a local issuer."""

from collections.abc import AsyncIterator, Iterator

import pytest

from identity.external.oidc.issuer import AUDIENCE, CLIENT, SECRET, Issuer, running_issuer
from modhost.testing import RunningHost, running_host
from modhost_background_jobs.module import BackgroundJobsModule
from moving_clock import MovingClock


@pytest.fixture
def issuer(clock: MovingClock) -> Iterator[Issuer]:
    with running_issuer(clock) as issuer:
        yield issuer


@pytest.fixture
async def host(database_url: str, issuer: Issuer, clock: MovingClock) -> AsyncIterator[RunningHost]:
    options = {
        "issuer": issuer.url,
        "client_id": CLIENT,
        "client_secret": SECRET,
        "provider_name": "Example",
        "audience": AUDIENCE,
        "roles_claim": "realm_access.roles",
        "roles": {"ops": "Admin", "audience": ["Viewer", "Reader"]},
    }
    config = {"host": {"database_url": database_url}, "modules": {"oidc": options}}
    async with running_host([BackgroundJobsModule()], config=config, clock=clock) as host:
        yield host
