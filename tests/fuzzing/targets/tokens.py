"""Bearer tokens: API tokens of the host, and JWTs with other algorithms, keys and claims."""

import base64
import json
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import OctKey

from fuzzing.attacked import AttackedHost
from fuzzing.exchange import Fault, Request
from fuzzing.inputs.texts import edited, texts
from identity.external.oidc.issuer import key_named

HEADER: Final = {"alg": "RS256", "kid": "first", "typ": "JWT"}
CLAIMS: Final = ("iss", "sub", "aud", "exp", "nbf", "iat", "preferred_username", "realm_access")
ALGORITHMS: Final = (
    *("RS256", "none", "None", "NONE", "", "HS256", "RS512", "PS256", "ES256", "EdDSA", "dir"),
)
KIDS: Final = ("first", "../../etc/passwd", "' UNION SELECT 1 --", "", "first\0", "x" * 3000)
ODD: Final[tuple[Any, ...]] = (
    None,
    True,
    -1,
    0,
    1e308,
    2**63,
    10**400,
    [],
    {},
    [[]],
    "",
    "\0",
    "ops",
    [None],
)
SCHEMES: Final = ("Bearer", "bearer", "BEARER", "Basic", "", "Bearer\t", "Bearer Bearer", "Token")


def _values() -> st.SearchStrategy[Any]:
    leaf = st.one_of(st.sampled_from(ODD), texts(), st.integers(), st.floats(allow_nan=True))
    return st.one_of(leaf, st.lists(leaf, max_size=3), st.dictionaries(texts("roles"), leaf))


@dataclass
class Tokens:
    """Each input is how a token is made, and what is done to it then."""

    host: AttackedHost
    name: str = "tokens"

    @property
    def inputs(self) -> st.SearchStrategy[Any]:
        header = st.dictionaries(
            st.sampled_from(
                ("alg", "kid", "typ", "jku", "x5u", "jwk", "crit", "b64", "zip", "enc")
            ),
            st.one_of(st.sampled_from(ALGORITHMS), st.sampled_from(KIDS), _values()),
            max_size=3,
        )
        claims = st.dictionaries(st.one_of(st.sampled_from(CLAIMS), texts()), _values(), max_size=3)
        edits = st.lists(
            st.tuples(
                st.integers(0, 2000),
                st.sampled_from(("insert", "delete", "replace", "repeat")),
                st.one_of(st.text("abcXYZ019-_=.", min_size=1, max_size=4), st.just("\xff")),
            ),
            max_size=3,
        )
        return st.fixed_dictionaries(
            {
                "kind": st.sampled_from(("host", "jwt", "jwt", "jwt")),
                "scheme": st.sampled_from(SCHEMES[:1] * 8 + SCHEMES),
                "header": st.one_of(st.just({}), header),
                "claims": st.one_of(st.just({}), claims),
                "signed_by": st.sampled_from(("first", "first", "other", "public", "nobody")),
                "edits": st.one_of(st.just([]), edits),
            }
        )

    def attack(self, given: Any) -> str:
        is_jwt = given["kind"] == "jwt"
        whole = self._jwt(given) if is_jwt else self.host.token("viewer")
        shown = edited(whole, given["edits"])
        sent = f"{given['scheme']} {shown}"
        headers = (("Authorization", sent.encode("utf-8", "surrogatepass").decode("latin-1")),)
        answer = self.host.attack(Request("GET", "/api/jobs", headers))
        is_signed = given["kind"] == "host" or given["signed_by"] == "first"
        is_own = shown.strip() == whole and given["scheme"].strip().lower() == "bearer"
        if answer.status in (200, 403) and not (is_own and is_signed):
            raise Fault(f"{sent[:300]!r} is let in")
        return f"{given['kind']} {answer.status}"

    def _jwt(self, given: Any) -> str:
        issuer = self.host.issuer
        now = int(issuer.clock.now().timestamp())
        claims = {
            "iss": issuer.url,
            "sub": "248289761001",
            "aud": "https://modhost.example/api",
            "iat": now,
            "exp": now + 600,
            "realm_access": {"roles": ["ops"]},
        }
        payload = json.dumps({**claims, **given["claims"]})
        header = {**HEADER, **given["header"]}
        signing = _encoded(json.dumps(header)) + "." + _encoded(payload)
        return f"{signing}.{_signature(signing, given['signed_by'])}"


def _signature(signing: str, by: str) -> str:
    """Return the signature by a key, whatever the header says of its algorithm."""
    if by == "nobody":
        return ""
    name = "HS256" if by == "public" else "RS256"
    key: Any = key_named("first" if by == "first" else "other")
    if by == "public":
        key = OctKey.import_key(key_named("first").as_pem(private=False).hex())
    algorithm = jws.JWSRegistry(algorithms=[name]).get_alg(name)
    return base64.urlsafe_b64encode(algorithm.sign(signing.encode(), key)).rstrip(b"=").decode()


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
