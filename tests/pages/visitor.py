"""A visitor who opens pages and sends forms, without JavaScript."""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx2

from pages.html import Html
from pages.site import Site


class Visitor:
    """A client with a token."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    @classmethod
    async def of(cls, site: Site, *permissions: str) -> "Visitor":
        """Return a visitor with these permissions."""
        client = await site.host.client(*permissions)
        client.headers["Accept"] = "text/html"
        return cls(client)

    async def get(self, path: str, status: int = 200) -> Html:
        """Open a page."""
        answer = await self.client.get(path)
        assert answer.status_code == status, answer.text
        return Html(answer.text)

    async def post(
        self, path: str, values: Mapping[str, str | Sequence[str]] | None = None
    ) -> tuple[str, Html]:
        """Send a form; return the path it redirects to, and the page there."""
        data: dict[str, Any] = dict(values or {})
        answer = await self.client.post(path, data=data, headers=_FORM)
        if answer.status_code == 303:
            location = answer.headers["location"]
            return location, await self.get(location)
        assert answer.status_code in (200, 422), answer.text
        return path, Html(answer.text)


_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
