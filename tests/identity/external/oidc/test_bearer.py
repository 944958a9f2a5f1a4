"""Access tokens of a provider, at the API."""

import base64
import json
import re
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from joserfc.jwk import KeySet, OctKey

from identity.external.oidc.browsing import log_in
from identity.external.oidc.issuer import AUDIENCE, CLIENT, Issuer, key_named
from modhost import new_id
from modhost.audit import AuditReader, AuditSearch
from modhost.identity import LoginService, UserService, Visitor
from modhost.testing import RunningHost
from moving_clock import MovingClock
from sweeps import first_on_both

pytestmark = pytest.mark.anyio

OPS: dict[str, Any] = {"realm_access": {"roles": ["ops", "unknown"]}}


async def answer(host: RunningHost, token: str, path: str = "/api/jobs") -> httpx2.Response:
    client = await host.client()
    return await client.get(path, headers={"Authorization": f"Bearer {token}"})


async def test_a_role_of_the_provider_gives_the_role_it_is_mapped_to(
    host: RunningHost, issuer: Issuer
) -> None:
    assert (await answer(host, issuer.token(**OPS))).status_code == 200
    assert (await answer(host, issuer.token())).status_code == 403
    unmapped: dict[str, Any] = {"realm_access": {"roles": ["Admin"]}}
    assert (await answer(host, issuer.token(**unmapped))).status_code == 403


async def test_tokens_of_the_host_work_beside_it(host: RunningHost) -> None:
    client = await host.client("BackgroundJobs.ViewJobs")
    assert (await client.get("/api/jobs")).status_code == 200


@first_on_both(
    "claims",
    [
        {"aud": CLIENT},
        {"aud": "somebody else"},
        {"aud": None},
        {"iss": "https://evil.example"},
        {"iss": None},
        {"exp": 1},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"iat": 4_000_000_000},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 300},
        {"sub": "a\x00b"},
        {"sub": "a\nb"},
    ],
)
async def test_a_token_that_is_not_for_here_and_now_is_refused(
    host: RunningHost, issuer: Issuer, claims: dict[str, Any]
) -> None:
    assert (await answer(host, issuer.token(**(OPS | claims)))).status_code == 401


async def test_a_token_that_is_for_several_is_taken(host: RunningHost, issuer: Issuer) -> None:
    token = issuer.token(**OPS, aud=["other", AUDIENCE])
    assert (await answer(host, token)).status_code == 200


async def test_claims_of_another_shape_give_nothing(host: RunningHost, issuer: Issuer) -> None:
    for roles in (5, True, {"ops": 1}, [["ops"]]):
        odd: dict[str, Any] = {"realm_access": {"roles": roles}}
        assert (await answer(host, issuer.token(**odd))).status_code == 403
    header, _, signature = issuer.token().split(".")
    deep = base64.urlsafe_b64encode(b"[" * 10_000).rstrip(b"=").decode()
    for token in (f"{header}.{deep}.{signature}", f"{deep}.{deep}.{signature}"):
        assert (await answer(host, token)).status_code == 401


async def test_one_odd_key_of_the_provider_does_not_stop_the_others(
    host: RunningHost, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd: list[Any] = [
        {"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "kid": "curve"},
        {"kty": "RSA", "n": "!", "e": "AQAB", "kid": "broken"},
        {"kty": "new"},
        5,
    ]
    published = KeySet.as_dict
    monkeypatch.setattr(
        KeySet, "as_dict", lambda *a, **k: {"keys": [*odd, *published(*a, **k)["keys"]]}
    )
    assert (await answer(host, issuer.token(**OPS))).status_code == 200


async def test_a_name_in_the_audit_is_on_one_line(host: RunningHost, issuer: Issuer) -> None:
    roles: dict[str, Any] = {"realm_access": {"roles": ["audience"]}}
    token = issuer.token(**roles, preferred_username="vera\nadmin")
    client = await host.client()
    bearer = {"Authorization": f"Bearer {token}"}
    refused = await client.post(f"/api/jobs/{new_id()}/cancel", headers=bearer)
    assert refused.status_code == 403
    async with host.scope() as scope:
        (entry,) = await (await scope.get(AuditReader)).newest(AuditSearch(), 1)
    assert entry.actor_name == "248289761001"


async def test_a_token_expires(host: RunningHost, issuer: Issuer, clock: MovingClock) -> None:
    token = issuer.token(**OPS)
    clock.advance(timedelta(minutes=10))
    assert (await answer(host, token)).status_code == 200, "the clocks may be 30 s apart"
    clock.advance(timedelta(seconds=31))
    assert (await answer(host, token)).status_code == 401


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


async def test_a_token_without_a_signature_is_refused(host: RunningHost, issuer: Issuer) -> None:
    _, claims, signature = issuer.token(**OPS).split(".")
    header = encoded({"alg": "none", "kid": "first"})
    assert (await answer(host, f"{header}.{claims}.")).status_code == 401
    assert (await answer(host, f"{header}.{claims}.{signature}")).status_code == 401


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(
    host: RunningHost, issuer: Issuer
) -> None:
    public = OctKey.import_key(issuer.keys[0].as_pem(private=False).hex())
    token = issuer.token(public, {"alg": "HS256", "kid": "first"}, **OPS)  # type: ignore[arg-type]
    assert (await answer(host, token)).status_code == 401


async def test_a_changed_token_is_refused(host: RunningHost, issuer: Issuer) -> None:
    header, _, signature = issuer.token().split(".")
    claims = issuer.token(**OPS).split(".")[1]
    assert (await answer(host, f"{header}.{claims}.{signature}")).status_code == 401


@pytest.mark.parametrize("token", ["a.b.c", "..", "a.b.\xff", "e30.e30.e30", "x" * 50_000 + ".."])
async def test_what_is_not_a_token_is_refused(host: RunningHost, token: str) -> None:
    client = await host.client()
    headers = {b"Authorization": b"Bearer " + token.encode("latin-1")}
    assert (await client.get("/api/jobs", headers=headers)).status_code == 401


async def test_keys_rotate(host: RunningHost, issuer: Issuer, clock: MovingClock) -> None:
    old = issuer.token(**OPS)
    assert (await answer(host, old)).status_code == 200
    clock.advance(timedelta(seconds=10))
    issuer.keys.append(key_named("second"))
    new = issuer.token(**OPS)
    assert (await answer(host, new)).status_code == 200, "an unknown key is asked for at once"
    assert (await answer(host, old)).status_code == 200, "the old key is published still"
    del issuer.keys[0]
    clock.advance(timedelta(minutes=6))
    assert (await answer(host, new)).status_code == 200
    assert (await answer(host, old)).status_code == 401, "the old key is withdrawn"


async def test_tokens_with_unknown_keys_do_not_have_the_provider_asked_each_time(
    host: RunningHost, issuer: Issuer, clock: MovingClock
) -> None:
    assert (await answer(host, issuer.token(**OPS))).status_code == 200
    clock.advance(timedelta(seconds=10))
    before = issuer.key_requests
    for number in range(20):
        token = issuer.token(key_named(f"junk {number % 2}"), **OPS)
        assert (await answer(host, token)).status_code == 401
    assert issuer.key_requests == before + 1


async def test_a_provider_that_is_down_lets_nobody_new_in(
    host: RunningHost, issuer: Issuer, clock: MovingClock
) -> None:
    issuer.is_down = True
    assert (await answer(host, issuer.token(**OPS))).status_code == 401
    issuer.is_down = False
    clock.advance(timedelta(seconds=6))
    assert (await answer(host, issuer.token(**OPS))).status_code == 200
    issuer.is_down = True
    clock.advance(timedelta(minutes=30))
    assert (await answer(host, issuer.token(**OPS))).status_code == 200, "its keys are kept"
    clock.advance(timedelta(minutes=31))
    assert (await answer(host, issuer.token(**OPS))).status_code == 401, "but not forever"


async def test_a_provider_that_claims_another_issuer_is_refused(
    host: RunningHost, issuer: Issuer
) -> None:
    issuer.named = "https://another.example"
    assert (await answer(host, issuer.token(**OPS))).status_code == 401


async def test_a_user_who_is_disabled_here_stays_out(host: RunningHost, issuer: Issuer) -> None:
    issuer.claims = OPS
    assert (await log_in(host)).status_code == 303
    assert (await answer(host, issuer.token(**OPS))).status_code == 200
    async with host.scope() as scope:
        await (await scope.get(UserService)).disable("vera")
    assert (await answer(host, issuer.token(**OPS))).status_code == 401


async def made(host: RunningHost, name: str, bearer: str) -> str:
    """The secret of a token that the holder of another has made."""
    client = await host.client()
    form = {"name": name, "role": ["Admin"], "expires": "90d"}
    page = await client.post(
        "/admin/tokens", data=form, headers={"Authorization": f"Bearer {bearer}"}
    )
    found = re.search(r"mh_[\w-]{20,}", page.text)
    assert found, page.text
    return found[0]


async def test_disabling_a_user_revokes_what_they_made_before_their_first_login(
    host: RunningHost, issuer: Issuer
) -> None:
    early = await made(host, "early", issuer.token(**OPS))
    secrets = [early, await made(host, "by the early one", early)]
    kept = await made(host, "of another", issuer.token(**OPS, sub="24", preferred_username="ada"))
    issuer.claims = OPS
    assert (await log_in(host)).status_code == 303
    secrets.append(await made(host, "late", issuer.token(**OPS)))
    for secret in (*secrets, kept):
        assert (await answer(host, secret)).status_code == 200
    async with host.scope() as scope:
        await (await scope.get(UserService)).disable("vera")
    assert [(await answer(host, secret)).status_code for secret in secrets] == [401, 401, 401]
    assert (await answer(host, kept)).status_code == 200


async def test_a_password_account_of_the_same_name_is_somebody_else(
    host: RunningHost, issuer: Issuer
) -> None:
    async with host.scope() as scope:
        await (await scope.get(UserService)).add("vera", "correct horse", ["Admin"])
        await (await scope.get(LoginService)).with_password("vera", "correct horse", Visitor())
    assert (await answer(host, issuer.token())).status_code == 403
