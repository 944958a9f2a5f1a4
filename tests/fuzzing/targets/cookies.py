"""Cookies and what guards forms: sessions, the state of a login, `Origin` and `Sec-Fetch-Site`."""

import base64
import json
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from fuzzing.attacked import COOKIE, AttackedHost
from fuzzing.exchange import Fault, Request
from fuzzing.inputs.texts import edited, texts, varied

STATE: Final = json.dumps({"state": "s", "nonce": "n", "verifier": "v", "following": "/admin"})
COOKIES: Final = (
    f"{COOKIE}={{session}}",
    f"a=b; {COOKIE}={{session}}; c",
    f"{COOKIE}={{session}}; {COOKIE}=x",
    f'{COOKIE}="{{session}}"',
    f"{COOKIE}_8000={{session}}",
    f"{COOKIE}=",
    f"$Version=1; {COOKIE}=a; $Path=/",
    "=;;=",
    "modhost_oidc={state}",
    f"{COOKIE}={{session}}; modhost_oidc={{state}}",
)
ORIGINS: Final = (
    *("http://localhost", "http://localhost:80", "https://localhost", "null", "", "http://[::1"),
    *("http://evil.example", "http://localhost.evil.example", "http://localhost@evil.example"),
    *("HTTP://LOCALHOST", "http://localhost/", "localhost", "http://localhost evil", "http://"),
)
FORM: Final = ("Content-Type", "application/x-www-form-urlencoded")
SITES: Final = ("same-origin", "same-site", "cross-site", "none", "", "Cross-Site", "x")
ROUTES: Final = (
    *("GET /account", "POST /account/sessions/end-others", "POST /account", "GET /admin"),
    *("GET /login?next=%2Fadmin", "GET /login/oidc/callback?code=c&state=s"),
    *("GET /login/oidc/callback?error=x&state=%ff", "GET /admin/jobs"),
)
OPEN: Final = ("/login", "/login/oidc/callback")


@dataclass
class Cookies:
    """Each input is a header of cookies, with `{session}` for one that is valid, and the rest."""

    host: AttackedHost
    name: str = "cookies"
    _session: str = ""
    _uses: int = 0

    @property
    def inputs(self) -> st.SearchStrategy[Any]:
        latin = st.one_of(texts(*COOKIES), varied(COOKIES)).map(_as_bytes)
        edits = st.lists(
            st.tuples(
                st.integers(0, 50),
                st.sampled_from(("insert", "delete", "replace", "repeat")),
                st.text("abcXYZ019-_=.%", min_size=1, max_size=3),
            ),
            max_size=2,
        )
        return st.fixed_dictionaries(
            {
                "route": st.sampled_from(ROUTES),
                "cookie": st.one_of(st.sampled_from(COOKIES), latin),
                "edits": st.one_of(st.just([]), edits),
                "state": st.one_of(st.just(STATE), varied((STATE,)).map(_as_bytes)),
                "origin": st.one_of(st.none(), texts(*ORIGINS).map(_as_bytes)),
                "site": st.one_of(st.none(), texts(*SITES).map(_as_bytes)),
            }
        )

    def attack(self, given: Any) -> str:
        if self._uses % 50 == 0:
            self._session = self.host.session()
        self._uses += 1
        session = edited(self._session, given["edits"])
        state = base64.urlsafe_b64encode(given["state"].encode("latin-1")).decode()
        sent = given["cookie"].replace("{session}", session).replace("{state}", state)
        headers = [("Cookie", sent)]
        headers += [
            (name, given[key])
            for name, key in (("Origin", "origin"), ("Sec-Fetch-Site", "site"))
            if given[key] is not None
        ]
        method, _, target = given["route"].partition(" ")
        answer = self.host.attack(Request(method, target, tuple(headers)))
        path = target.partition("?")[0]
        is_in = answer.status == 200 or (
            answer.status in (303, 422) and not answer.header("location").startswith("/login")
        )
        if is_in and path not in OPEN:
            self._may_be_in(method, sent, given)
        check_location(answer.header("location"))
        return f"{method} {answer.status}"

    def _may_be_in(self, method: str, sent: str, given: Any) -> None:
        if self._session not in sent:
            raise Fault(f"{sent!r} is let in")
        if method == "POST" and (given["site"] or "").lower() in ("cross-site", "same-site"):
            raise Fault(f"another site, {given['site']!r}, is let in")
        if method == "POST" and given["site"] is None and "evil" in (given["origin"] or ""):
            raise Fault(f"the origin {given['origin']!r} is let in")


def check_location(location: str) -> None:
    is_own = location.startswith("/") and location[1:2] not in ("/", "\\")
    # The login provider listens there.
    if location and not (is_own or location.startswith("http://127.0.0.1:")):
        raise Fault(f"it leads to {location!r}")


def _as_bytes(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("latin-1")
