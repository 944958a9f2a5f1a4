"""An address of every page and answer that only reads, of the list one for each search."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx2

PAGES: Final = "/admin/jobs"
API: Final = "/api/jobs"
STATES: Final = ("Pending", "Running", "Completed", "Failed", "Cancelled", "Skipped")
TYPE: Final = "shop.ChargeCard"
ORDERS: Final = ("created", "finished", "due")
COMMON: Final = (
    *("", "state=Failed", "state=Completed&state=Failed", "state=Pending", "state=Skipped"),
    *(f"job_type={TYPE}", f"job_type={TYPE}&state=Failed", "queue=bulk", "q=refused"),
    *("tag=C-10172", "q=C-10172&indexed=true", "since={day}&until={day}"),
    "since={day}&job_type=shop.ChargeCard&queue=default",
)
OTHERS: Final = (
    *(f"state={state}" for state in STATES),
    *("state=Pending&state=Failed", "queue=default", "queue=default&state=Failed"),
    *("tag=C-10172&state=Failed", "q=C-10172", "q=refused&state=Failed", "q=no+such+words"),
    *("q=no+such+words&indexed=true", "q=gateway&tracebacks=true", "q={Failed}", "q={middle}"),
    *("since={day}", "until={day}", "since={day}&state=Failed", "since={day}&queue=bulk"),
    *("before={middle}", "after={middle}", "state=Failed&before={middle}", "rows=200"),
)
OF_PAGES: Final = (
    *("", "?span=day", "?span=week", "/events?watch=dashboard&poll=true", "/workers"),
    *("/events?watch=workers&poll=true", "/events?watch=recurring&poll=true"),
    *("/events?watch=schedule&id={schedule}&poll=true", "/events?watch=queues&poll=true"),
    *("/events?watch=types&types=&poll=true", "/events?watch=job&id={Completed}&poll=true"),
    *("/events?watch=row&id={Failed}&newest=true&search=state%3DFailed&poll=true", "/queues"),
    *("/recurring", "/recurring?state=failing&sort=last", "/recurring/{schedule}"),
    *("/recurring/{schedule}?runs=failed", "/recurring/{schedule}/edit", "/recurring/new"),
    *("/recurring/{schedule}/delete", "/recurring/preview?cron_expression=@daily"),
    *("/types", "/types?span=day", "/types?span=week", "/types?sort=name&q=charge"),
    *(f"/types/{TYPE}?span={span}" for span in ("hour", "day", "week", "quarter")),
    *("/queues/pause?kind=queue&name=bulk", f"/queues/pause?kind=type&name={TYPE}"),
    *("/queues/limit?name={limit}", "/workflows", "/workflows?state=Failed"),
    *("/workflows?state=Completed", "/workflows/{workflow}", "/workflows/{workflow}/cancel"),
    *("/workflows/{workflow}/retry", "/{Completed}/log.txt", "/{Completed}/input.json"),
    *("/{Completed}/result.json", "/{Failed}/run-again", "/{Pending}/reschedule"),
    *(f"/{{{state}}}" for state in STATES),
    *("/{Completed}/delete", "/{run}", "/{of_workflow}"),
    *(f"/many?change={change}&all=true" for change in ("retry", "cancel", "delete", "reschedule")),
    "/many?change=retry&all=true&state=Failed&by=finished&since={day}",
    f"/many?change=delete&all=true&job_type={TYPE}&since={{day}}",
)
OF_API: Final = (
    # The list of jobs is not among them: it has their whole number.
    *("/recurring", "/workers", "/workers/departed"),
    *("/queues", "/types", f"/types/{TYPE}", "/limits", "/workflows", "/workflows/{workflow}"),
    *("/{Completed}", "/{Failed}/actions"),
)


@dataclass(frozen=True)
class Addresses:
    """What the names in them stand for, which stays as the history grows."""

    of: dict[str, str]

    @classmethod
    async def chosen_by(cls, client: httpx2.AsyncClient) -> "Addresses":
        """Choose jobs, a schedule and a workflow that are there already."""

        async def items(query: str) -> list[dict[str, Any]]:
            answer = (await client.get(f"{API}{query}")).json()
            return list(answer if isinstance(answer, list) else answer["items"])

        newest = await items("?page_size=100")
        failed = (await items("?state=Failed"))[0]
        schedule = (await items("/recurring"))[3]
        workflow = (await items("/workflows"))[0]
        nodes = (await client.get(f"{API}/workflows/{workflow['id']}")).json()["nodes"]["items"]
        of_state = {state: (await items(f"?state={state}"))[0]["id"] for state in STATES}
        return cls(
            {
                **of_state,
                "day": failed["created_at"][:10],
                "middle": newest[-1]["id"],
                "schedule": schedule["id"],
                "run": of_state["Skipped"],
                "workflow": workflow["id"],
                "of_workflow": nodes[0]["id"],
                "limit": next((each["name"] for each in await items("/limits")), ""),
            }
        )

    def all(self, *, is_thorough: bool) -> Iterator[str]:
        """Yield them: some searches in one order each, or all of them in every order."""
        for number, search in enumerate((*COMMON, *OTHERS) if is_thorough else COMMON):
            for order in ORDERS if is_thorough else [ORDERS[number % 3]]:
                yield self._named(f"{PAGES}/list?{search}&by={order}")
        for path in OF_PAGES:
            if self.of["limit"] or "{limit}" not in path:
                yield self._named(PAGES + path)
        for path in OF_API:
            yield self._named(API + path)

    def _named(self, address: str) -> str:
        return address.format_map(self.of)
