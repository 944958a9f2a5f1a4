import pytest

from hosts import whole_host

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    "execute_at",
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"],
)
async def test_a_time_at_which_no_report_can_be_made_is_refused_by_name(
    database_url: str, execute_at: str
) -> None:
    async with whole_host(database_url) as host:
        client = await host.client("Reports.Generate", "BackgroundJobs.ViewJobs")
        order = {"type": "monthly", "source": "seattle-weather", "execute_at": execute_at}
        answer = await client.post("/api/reports", json=order)
        assert answer.status_code == 422
        assert [each["field"] for each in answer.json()["errors"]] == ["execute_at"]
        assert (await client.get("/api/jobs")).status_code == 200
