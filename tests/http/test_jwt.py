"""A single sign-on's tokens in the place of an API key: RS256 and ES256, by public keys in a file."""

import hashlib
import hmac
import json
import os
import shutil
import time

import pytest

from support.at_once import eventually
from support.service import Service
from support.tokens import Issuer, base64url, encoded

SETTINGS = {"ASSAY_JWT_ISSUER": "https://sso.example", "ASSAY_JWT_AUDIENCE": "assay"}
ALGS = ("RS256", "ES256")
ROLES = ("admin", "operator", "feed", "partner", "auditor")


@pytest.fixture(scope="module")
def issuers(tmp_path_factory):
    """One of each kind, and in "file" the keys of both: as while a sign-on changes its key."""
    made = {alg: Issuer(alg) for alg in ALGS}
    made["file"] = str(tmp_path_factory.mktemp("jwt") / "keys.pem")
    with open(made["file"], "w", encoding="ascii") as f:
        f.write("".join(made[alg].public_pem() for alg in ALGS))
    return made


@pytest.fixture(scope="module")
def service(database, issuers):
    started = Service(database.url, env={**SETTINGS, "ASSAY_JWT_PUBLIC_KEY_FILE": issuers["file"], "ASSAY_LOG_LEVEL": "debug"})
    try:
        yield started.start()
        started.stop()
    finally:
        started.kill()
        shutil.rmtree(started.home, ignore_errors=True)


@pytest.fixture(scope="module", params=ALGS)
def issuer(issuers, request):
    return issuers[request.param]


def refused(service, token, why=None):
    answer = service.client(token).get("/v1/providers")
    assert (answer.status, answer.code) == (401, "unauthenticated"), answer
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    if why:
        eventually(lambda: any(why in line and answer.headers["X-Request-Id"] in line for line in service.log().splitlines()))


# ---- what lets in ----


@pytest.mark.parametrize("role", ROLES)
def test_roles(service, issuer, role):
    caller = service.client(issuer.token(assay_role=role, assay_provider_id="prv_0"))
    for _ in range(2):  # looked at, then remembered
        assert caller.get("/v1/imports").status == (403 if role == "partner" else 200)
        assert caller.get("/v1/keys").status == (200 if role in ("admin", "auditor") else 403)
        assert caller.get("/v1/policies").status == (403 if role == "feed" else 200)


@pytest.mark.parametrize("claims", [
    {"aud": ["other", "assay"]}, {"exp": time.time() + 3600.5}, {"nbf": int(time.time()) - 5}, {"name": ...}, {"name": 5}, {"name": "x" * 900},
    {"sub": "auth0|5f7c"}, {"sub": "x" * 200}, {"extra": {"nested": [1, 2.5, None]}}, {"iat": ...}, {"assay_provider_id": "prv_1"},
])  # fmt: skip
def test_valid(service, issuer, claims):
    assert service.client(issuer.token(claims)).get("/v1/providers").status == 200


def test_clocks_may_differ_a_little(service, issuer):
    now = int(time.time())
    assert service.client(issuer.token(exp=now - 10)).get("/v1/providers").status == 200
    assert service.client(issuer.token(nbf=now + 15)).get("/v1/providers").status == 200


def test_a_long_token(service, issuer):
    token = issuer.token(groups=["x" * 20] * 105)
    assert 3000 < len(token) <= 4096
    assert service.client(token).get("/v1/providers").status == 200


def test_api_keys_work_beside(service, client):
    assert client.get("/v1/providers").status == 200
    assert service.client("ask_" + "x" * 43).get("/v1/providers").status == 401


# ---- what does not ----


@pytest.mark.parametrize("claims, why", [
    ({"exp": 1}, "expired"), ({"exp": -1e300}, "expired"), ({"exp": ...}, "no exp"), ({"exp": None}, "no exp"), ({"exp": "4102444800"}, "no exp"),
    ({"nbf": 4102444800}, "not valid yet"), ({"nbf": "0"}, "nbf"), ({"iss": ...}, "iss"), ({"iss": "https://sso.example/"}, "iss"), ({"iss": ["https://sso.example"]}, "iss"),
    ({"aud": ...}, "aud"), ({"aud": "assay2"}, "aud"), ({"aud": []}, "aud"), ({"aud": ["x", 1]}, "aud"), ({"aud": {"assay": 1}}, "aud"),
    ({"sub": ...}, "sub"), ({"sub": ""}, "sub"), ({"sub": 17}, "sub"), ({"sub": 'u"17'}, "sub"), ({"sub": "u 17"}, "sub"), ({"sub": "林"}, "sub"), ({"sub": "x" * 201}, "sub"),
    ({"assay_role": ...}, "role"), ({"assay_role": "root"}, "role"), ({"assay_role": ""}, "role"), ({"assay_role": ["admin"]}, "role"), ({"assay_role": "Admin"}, "role"),
    ({"assay_role": "x" * 40}, "role"), ({"assay_role": "partner"}, "provider"), ({"assay_role": "partner", "assay_provider_id": ""}, "provider"),
    ({"assay_role": "partner", "assay_provider_id": ["prv_1"]}, "provider"), ({"assay_role": "partner", "assay_provider_id": "x" * 65}, "provider"),
], ids=str)  # fmt: skip
def test_claims(service, issuer, claims, why):
    refused(service, issuer.token(claims), why)


def signed(issuer, header, payload):
    text = f"{encoded(header)}.{encoded(payload)}"
    return f"{text}.{base64url(issuer.sign(text))}"


def test_what_is_not_json(service, issuer):
    claims = json.loads(json.dumps({"iss": "https://sso.example", "aud": "assay", "sub": "u", "exp": 4102444800, "assay_role": "auditor"}))
    good = json.dumps(claims).encode()
    assert service.client(signed(issuer, {"alg": issuer.alg}, good)).get("/v1/providers").status == 200
    twice = good[:-1] + b', "assay_role": "admin"}'
    for payload in (twice, good[:-1], good + b"x", b"[]", b"\xff", b"", b'"x"', b"[" * 1500, good.replace(b'"u"', b'"u\\u0000"')):
        refused(service, signed(issuer, {"alg": issuer.alg}, payload))


@pytest.mark.parametrize("token", ["e=JhbGciOiAiRVMyNTYiLCAidHlwIjogIkpXVCJ9.ey.ey", "eyJhbGciOiAiRVMyNTYifQ==.eyJ9.eyJ9", "eyJhbGciOiJFUzI1NiJ9.e.eyJ9",
                                   "eyJhbGciOiJFUzI1NiJ9.e=J9.eyJ9", "eyJhbGciOiJFUzI1NiJ9.eyJ9.e=J9", "eyJhbGciOiJFUzI1NiJ9..eyJ9", "eyJhbGciOiJFUzI1NiJ9.eyJ9.",
                                   "eyJhbGciOiJFUzI1NiJ9.eyJ9.eyJ9.eyJ9", "eyJhbGciOiJFUzI1NiJ9.ey+9.ey/9"])  # fmt: skip
def test_what_is_no_base64url(service, client, token):
    """Padding in the wrong place made the library abort, and the service with it."""
    assert service.client(token).get("/v1/policies").status == 401
    assert client.get("/v1/policies").status == 200


def test_signatures(service, issuers, issuer):
    good = issuer.token(assay_role="admin")
    head, payload, signature = good.split(".")
    claims = {"iss": "https://sso.example", "aud": "assay", "sub": "u", "exp": 4102444800, "assay_role": "admin"}
    other = next(issuers[alg] for alg in ALGS if alg != issuer.alg)
    public = issuer.public_pem().encode()

    def by_secret(header):
        text = f"{encoded(header)}.{encoded(claims)}"
        return f"{text}.{base64url(hmac.new(public, text.encode(), hashlib.sha256).digest())}"

    changed = encoded({**claims, "sub": "another"})
    for token in (
        f"{head}.{changed}.{signature}", f"{head}.{payload}.", f"{head}.{payload}", f"{head}.{payload}.{signature}.x", f"{head}.{payload}.{signature[:-2]}",
        f"{head}.{payload}.{signature}AA", f"{head}.{payload}.{'A' * len(signature)}", f".{payload}.{signature}", f"{head}..{signature}", "..", "." * 50,
        f"{encoded({'alg': 'none'})}.{payload}.", f"{encoded({'alg': 'none'})}.{payload}.{signature}", f"{encoded({'alg': 'None'})}.{payload}.",
        f"{encoded({})}.{payload}.{signature}", f"{encoded({'alg': 5})}.{payload}.{signature}", f"{encoded([])}.{payload}.{signature}",
        by_secret({"alg": "HS256"}), by_secret({"alg": issuer.alg}), Issuer(issuer.alg).token(assay_role="admin"),
        signed(issuer, {"alg": other.alg}, claims), signed(issuer, {"alg": "PS256"}, claims), signed(issuer, {"alg": "RS512"}, claims),
        signed(issuer, {"alg": "ES384"}, claims), signed(issuer, {"alg": issuer.alg, "crit": ["exp"]}, claims),
        signed(other, {"alg": issuer.alg}, claims), good + " ", "x" * 4000, "!" * 100, good.replace(".", ";"),
    ):  # fmt: skip
        refused(service, token)
    jwk = {"kty": "oct", "k": base64url(public)}
    refused(service, by_secret({"alg": "HS256", "jwk": jwk, "jku": "https://evil.example/keys", "kid": "../../dev/null"}))
    assert service.client(good).get("/v1/keys").status == 200


def test_too_long(service, issuer):
    token = issuer.token(groups=["x" * 20] * 170)
    assert len(token) > 4096
    answer = service.client(token).get("/v1/providers", check=False)
    assert answer.status in (401, 431)


def test_a_remembered_token_expires(service, issuer):
    token = issuer.token(exp=int(time.time()) - 27)  # and 30 seconds by which clocks may differ
    caller = service.client(token)
    first = caller.get("/v1/providers")
    assert first.status in (200, 401)  # 401 only where a machine was too slow for its three seconds
    eventually(lambda: caller.get("/v1/providers").status == 401, seconds=20)


# ---- who it is ----


def test_a_partners_token(service, issuer, world):
    mine, other = world.register(), world.register()
    caller = service.client(issuer.token(assay_role="partner", assay_provider_id=mine["provider_id"]))
    assert caller.get(f"/v1/providers/{mine['provider_id']}").json == mine
    assert caller.get(f"/v1/providers/{other['provider_id']}").status == 404
    assert [p["provider_id"] for p in caller.all("/v1/providers")] == [mine["provider_id"]]
    answer = caller.post("/v1/providers", world.provider_body())
    assert (answer.status, answer.code) == (409, "wrong_state")


def test_who_did_it(service, database, issuer, world):
    sub = f"who-{issuer.alg}"
    made = service.client(issuer.token(sub=sub, assay_role="admin")).post("/v1/providers", world.provider_body())
    assert made.status == 201
    rows = database.sql(f"select actor_id, actor_name from audit where subject = '{made.json['provider_id']}'")
    assert rows == [(f"jwt:https://sso.example:{sub}", "林")]


def test_a_renewed_token_is_the_same_caller(service, issuer, world):
    body, sub = world.provider_body(), f"renewed-{issuer.alg}"
    first, renewed = (service.client(issuer.token(sub=sub, assay_role="admin", jti=n)) for n in ("1", "2"))
    made = first.post("/v1/providers", body, idempotency_key="renewed")
    again = renewed.post("/v1/providers", body, idempotency_key="renewed")
    assert (made.status, again.headers["Idempotency-Replayed"], again.body) == (201, "true", made.body)
    someone = service.client(issuer.token(sub=sub + "x", assay_role="admin"))
    assert someone.post("/v1/providers", body, idempotency_key="renewed").code == "credit_code_taken"


def test_a_key_made_by_token(service, issuer):
    """Its secret can be told again to the very token that asked for it, and to no other."""
    sub = f"maker-{issuer.alg}"
    token = issuer.token(sub=sub, assay_role="admin")
    body = {"name": "by token", "role": "auditor"}
    made = service.client(token).post("/v1/keys", body, idempotency_key="by-token")
    assert made.status == 201 and service.client(made.json["key"]).get("/v1/providers").status == 200
    assert service.client(token).post("/v1/keys", body, idempotency_key="by-token").body == made.body
    renewed = service.client(issuer.token(sub=sub, assay_role="admin", jti="2"))
    answer = renewed.post("/v1/keys", body, idempotency_key="by-token")
    assert (answer.status, answer.code) == (409, "secret_not_repeatable")
    assert made.json["key_id"] in answer.json["detail"]


# ---- settings ----


def test_without_a_key_file_there_are_no_tokens(new_service, issuers):
    service = new_service()
    assert service.client(issuers["RS256"].token()).get("/v1/providers").status == 401


def test_other_claims_and_a_rate(new_service, issuers):
    service = new_service(env={**SETTINGS, "ASSAY_JWT_PUBLIC_KEY_FILE": issuers["ES256"].public, "ASSAY_JWT_ROLE_CLAIM": "https://sso.example/role",
                               "ASSAY_JWT_PROVIDER_CLAIM": "agency", "ASSAY_JWT_REQUESTS_PER_SECOND": "1"})
    assert service.client(issuers["ES256"].token()).get("/v1/providers").status == 401
    claims = {"https://sso.example/role": "partner", "agency": "prv_1", "assay_role": ...}
    statuses = [service.client(issuers["ES256"].token(claims, jti=str(i))).get("/v1/providers").status for i in range(4)]
    assert statuses[:2] == [200, 200] and 429 in statuses
    assert service.client(issuers["ES256"].token(claims, sub="another")).get("/v1/providers").status == 200
    refused(service, issuers["RS256"].token(claims))  # no key of its kind


@pytest.mark.parametrize("kind", ["no file", "empty", "private", "certificate", "garbage", "RS1024", "ES384", "EdDSA", "no issuer", "no audience", "too many"])
def test_bad_settings(new_service, issuers, tmp_path, kind):
    path = tmp_path / "key.pem"
    good = issuers["RS256"].public_pem()
    if kind in ("RS1024", "ES384", "EdDSA"):
        path.write_text(good + Issuer(kind).public_pem())
    elif kind == "private":
        with open(issuers["RS256"].private, encoding="ascii") as f:
            path.write_text(f.read())
    elif kind != "no file":
        path.write_text({"empty": "", "certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "too many": good * 9,
                         "garbage": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}.get(kind, good))
    os.chmod(tmp_path, 0o755)
    env = {**SETTINGS, "ASSAY_JWT_PUBLIC_KEY_FILE": str(path)}
    if kind in ("no issuer", "no audience"):
        del env["ASSAY_JWT_" + kind[3:].upper()]
    with pytest.raises(RuntimeError, match="ASSAY_JWT_PUBLIC_KEY_FILE"):
        new_service(env=env)
