"""A browser that goes to the provider and back."""

import ssl
from urllib.parse import urlsplit

import httpx2

from modhost.testing import RunningHost

WITHOUT_TLS = ssl.create_default_context()


async def to_the_provider(browser: httpx2.AsyncClient, following: str = "") -> str:
    """Begin a login; return where the provider sends the browser back."""
    begun = await browser.get("/login/oidc", params={"next": following})
    assert begun.status_code == 303, begun.text
    async with httpx2.AsyncClient(verify=WITHOUT_TLS) as web:
        sent = await web.get(begun.headers["location"])
    assert sent.status_code == 302, sent.text
    target = urlsplit(sent.headers["location"])
    assert target.netloc == "localhost"
    return f"{target.path}?{target.query}"


async def log_in(
    host: RunningHost, following: str = "", browser: httpx2.AsyncClient | None = None
) -> httpx2.Response:
    browser = browser or await host.client()
    return await browser.get(await to_the_provider(browser, following))
