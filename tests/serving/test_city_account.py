"""Signing in with the account of the city: a real provider, and everything that could be wrong on the way."""

from __future__ import annotations

import hmac
import json
import logging
import re
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

import app
import settings
from serving.city_account import BACK, BEGIN
from serving.id_tokens import keys_of
from serving.provider import ASK_AGAIN, KEPT, Provider, Registration
from store import attempts, audit_log, identities, passwords, people
from store.audit_log import BY_HAND
from store.engine import open_engine, reading, system_clock, writing
from store.migrations import migrate
from store.people import Role
from tests.layouts.published_city import catalogue_of, city_files
from tests.people import COOKIE, add_person
from tests.serving.oidc_provider import CLIENT, SECRET, Between, Forger, encoded, query_of, running, s256

HERE = "http://localhost"
CITY_COOKIE = "cityscore_city_account"


class ShiftedClock:
    """The time as the provider's keys are kept by, and as much more as a test has let pass."""

    def __init__(self):
        self.shift = timedelta()

    def __call__(self):
        return system_clock() + self.shift


@pytest.fixture(scope="module")
def provider():
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    made = open_engine(f"sqlite:///{tmp_path_factory.mktemp('accounts') / 'city.db'}")
    migrate(made, catalogue_of(city_files()).city, system_clock)
    yield made
    made.dispose()


class AskedAnew:
    """The provider as one server knows it, who begins to know it in each test."""

    def __init__(self, registration, clock):
        self.registration, self.clock = registration, clock

    def begin(self, between):
        self.known = Provider(self.registration, self.clock, between)

    def __getattr__(self, name):
        return getattr(self.known, name)


@pytest.fixture(scope="module")
def anew(provider):
    return AskedAnew(Registration(provider.issuer, CLIENT, SECRET), ShiftedClock())


@pytest.fixture(scope="module")
def server(engine, anew):
    return app.make_server(engine, catalogue_of(city_files()), "harbor", provider=anew)


@pytest.fixture
def clock(anew):
    yield anew.clock
    anew.clock.shift = timedelta()


@pytest.fixture
def between(anew):
    made = Between()
    anew.begin(made)
    return made


@pytest.fixture
def client(server, between, engine):
    with writing(engine, system_clock) as write:
        write.connection.exec_driver_sql("DELETE FROM attempts")
    return server.test_client()


@pytest.fixture
def invited(engine, provider, request):
    """Somebody who was invited, and their account at the provider; a name of their own for each test."""
    subject = f"sub-{abs(hash(request.node.nodeid))}"
    made = add_person(engine, Role.VIEWER, email=f"{subject}@city.example", clock=system_clock)
    provider.knows(subject, email=made.email.upper(), email_verified=True)
    return made, subject


def go_and_return(client, provider, subject, wanted="/staff/today"):
    """Goes to the provider, signs in there and comes back."""
    begun = client.get(f"{BEGIN}?{urlencode({'next': wanted})}")
    assert begun.status_code == 303, begun.text
    back = urlsplit(provider.let_in(begun.headers["Location"], subject))
    assert f"{back.scheme}://{back.netloc}" == HERE
    return client.get(f"{back.path}?{back.query}")


def problem_of(answer):
    query = query_of(answer.headers["Location"])
    assert answer.status_code == 303 and urlsplit(answer.headers["Location"]).path == "/sign-in", answer.text
    return query["problem"]


def said(client, answer):
    """The sentence that somebody reads who was not let in."""
    page = client.get(answer.headers["Location"])
    return re.search(r'class="problem" role="alert">([^<]+)<', page.text)[1]


def is_in(client):
    return client.get("/staff/today").status_code == 200


# --- in ------------------------------------------------------------------------------------------


def test_somebody_invited_signs_in_and_goes_where_they_wanted(client, provider, invited, between, engine):
    person, subject = invited
    assert BEGIN in client.get("/sign-in?next=/staff/today").text
    wanted = "/staff/metric/pothole_on_time?grain=week"
    begun = client.get(f"{BEGIN}?{urlencode({'next': wanted})}")
    asked = query_of(begun.headers["Location"])
    assert asked["code_challenge_method"] == "S256" and asked["scope"] == "openid email"
    assert asked["redirect_uri"] == HERE + BACK and SECRET not in begun.headers["Location"]
    cookie = next(one for one in begun.headers.getlist("Set-Cookie") if one.startswith(CITY_COOKIE))
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age=900" in cookie
    back = urlsplit(provider.let_in(begun.headers["Location"], subject))
    answer = client.get(f"{back.path}?{back.query}")
    assert answer.headers["Location"] == wanted and is_in(client)
    assert person.email in client.get("/account").text and client.get_cookie(CITY_COOKIE) is None
    [bought] = [form for path, form in between.asked if path == "/oauth2/token"]
    assert s256(bought["code_verifier"]) == asked["code_challenge"]
    with reading(engine) as connection:
        entries = audit_log.entries(connection, subject=person.subject)
        assert identities.find(connection, provider.issuer, subject) == person
    assert [one.act for one in entries][:2] == ["signed in", "city account linked"]
    assert entries[0].words == {"way": "city account"}


def test_an_account_that_is_linked_needs_no_e_mail_address_any_more(client, provider, invited, between):
    _person, subject = invited
    go_and_return(client, provider, subject)
    provider.knows(subject, email="married@city.example", email_verified=False)
    other = client.application.test_client()
    assert go_and_return(other, provider, subject).headers["Location"] == "/staff/today" and is_in(other)
    assert between.times("/.well-known/openid-configuration") == between.times("/jwks") == 1


@pytest.mark.parametrize("left_out", [{"email", "email_verified"}, {"email_verified"}])
def test_what_the_token_does_not_say_the_provider_is_asked_for(client, provider, invited, between, left_out):
    """Okta tells in the user info alone that an address was checked; it has to be of the same account."""
    without(between, left_out)
    between.changes["/userinfo"] = lambda words: {**words, "sub": "somebody else"}
    assert problem_of(go_and_return(client, provider, invited[1])) == "city account"
    del between.changes["/userinfo"]
    assert go_and_return(client, provider, invited[1]).headers["Location"] == "/staff/today"
    asked = between.times("/userinfo")
    assert go_and_return(client.application.test_client(), provider, invited[1]).status_code == 303
    assert between.times("/userinfo") == asked == 2, "who is known is not asked after"


@pytest.mark.parametrize(
    ("token", "told"),
    [
        ({"email_verified": False}, {"email_verified": True}),
        ({"email_verified": True}, {"email_verified": False}),
        ({"email": "other@city.example"}, {"email_verified": False}),
    ],
)
def test_one_answer_does_not_vouch_for_the_address_in_another(
    client, provider, invited, between, token, told
):
    without(between, {"email", "email_verified"}, **token)
    between.changes["/userinfo"] = lambda words: {**words, **told}
    assert problem_of(go_and_return(client, provider, invited[1])) == "unverified"


def without(between, names, **more):
    """The provider's tokens say less, and something else."""
    forger = Forger(between)
    forger.publish()
    forger.replace(
        lambda claims, _answer: forger.sign(
            {**{name: one for name, one in claims.items() if name not in names}, **more}
        )
    )


def test_signing_in_with_another_account_ends_the_session_that_was(client, provider, invited, engine):
    mallory = add_person(engine, clock=system_clock)
    provider.knows(f"mallory-{mallory.id}", email=mallory.email, email_verified=True)
    go_and_return(client, provider, f"mallory-{mallory.id}")
    planted = client.get_cookie(COOKIE).value
    begun = client.application.test_client().get(BEGIN)
    client.set_cookie(
        CITY_COOKIE,
        next(one for one in begun.headers.getlist("Set-Cookie") if one.startswith(CITY_COOKIE))
        .partition("=")[2]
        .partition(";")[0]
        .strip('"'),
    )
    back = urlsplit(provider.let_in(begun.headers["Location"], invited[1]))
    client.get(f"{back.path}?{back.query}")
    assert invited[0].email in client.get("/account").text and client.get_cookie(COOKIE).value != planted
    other = client.application.test_client()
    other.set_cookie(COOKIE, planted)
    assert not is_in(other)


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example/", "/\\evil.example", "/sign-out"]
)
def test_nobody_comes_back_to_another_site(client, provider, invited, wanted):
    assert go_and_return(client, provider, invited[1], wanted).headers["Location"] == "/staff/today"
    # Nor where somebody has written into the cookie.
    other = client.application.test_client()
    begun = other.get(BEGIN)
    kept = other.get_cookie(CITY_COOKIE).decoded_value
    other.set_cookie(CITY_COOKIE, kept.partition("/")[0] + "//evil.example/staff/today")
    back = urlsplit(provider.let_in(begun.headers["Location"], invited[1]))
    assert other.get(f"{back.path}?{back.query}").headers["Location"] == "/staff/today"


def test_signing_out_says_that_the_city_account_may_go_on(client, provider, invited):
    go_and_return(client, provider, invited[1])
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/account").text)[1]
    answer = client.post("/sign-out", data={"csrf": csrf})
    assert not is_in(client)
    assert "may still be signed in with your city account" in client.get(answer.headers["Location"]).text


# --- not in --------------------------------------------------------------------------------------


def test_who_was_not_invited_reads_whom_to_ask(client, provider, engine):
    provider.knows("stranger", email="stranger@city.example", email_verified=True)
    answer = go_and_return(client, provider, "stranger")
    assert problem_of(answer) == "not invited" and not is_in(client)
    assert "nobody has invited you here yet. Ask " in said(client, answer)
    with reading(engine) as connection:
        assert people.by_email(connection, "stranger@city.example") is None


@pytest.mark.parametrize("verified", [False, None, "true", 1])
def test_an_e_mail_address_that_nobody_checked_opens_nothing(client, provider, invited, verified):
    person, subject = invited
    more = {} if verified is None else {"email_verified": verified}
    provider.knows(subject, email=person.email, **more)
    answer = go_and_return(client, provider, subject)
    assert problem_of(answer) == "unverified" and not is_in(client)
    assert "address was checked" in said(client, answer)


def test_an_address_that_only_looks_like_one_of_ours_is_another(client, provider, engine):
    """To a mail server ſ and ß need not be s and ss; whoever has one address does not have the other."""
    for number, (ours, theirs) in enumerate((("strasse", "straße"), ("sam", "ſam"))):
        add_person(engine, email=f"{ours}@city.example", clock=system_clock)
        provider.knows(f"alike-{number}", email=f"{theirs}@city.example", email_verified=True)
        assert problem_of(go_and_return(client, provider, f"alike-{number}")) == "not invited"


@pytest.mark.parametrize("edov", [True, 1, "1", "true"])
def test_entra_says_in_its_own_claim_that_an_address_is_of_the_tenant(client, provider, invited, edov):
    person, subject = invited
    provider.knows(subject, email=person.email, xms_edov=edov)
    assert go_and_return(client, provider, subject).headers["Location"] == "/staff/today"


@pytest.mark.parametrize(
    "claims", [{"xms_edov": False}, {"xms_edov": "0"}, {"xms_edov": True, "email_verified": False}]
)
def test_an_address_that_is_not_of_the_tenant_opens_nothing(client, provider, invited, claims):
    person, subject = invited
    provider.knows(subject, email=person.email, **claims)
    assert problem_of(go_and_return(client, provider, subject)) == "unverified"


@pytest.mark.parametrize("is_linked", [True, False])
def test_somebody_disabled_is_not_let_in(client, provider, invited, engine, is_linked):
    person, subject = invited
    add_person(engine, clock=system_clock)
    if is_linked:
        go_and_return(client, provider, subject)
    with writing(engine, system_clock) as write:
        people.disable(write, BY_HAND, person.id)
    assert not is_in(client)
    answer = go_and_return(client, provider, subject)
    assert problem_of(answer) == "disabled" and "was disabled. Ask " in said(client, answer)


def test_an_address_given_to_somebody_new_does_not_open_the_account_of_the_one_before(
    client, provider, invited
):
    person, subject = invited
    go_and_return(client, provider, subject)
    provider.knows(f"{subject}-new", email=person.email, email_verified=True)
    other = client.application.test_client()
    answer = go_and_return(other, provider, f"{subject}-new")
    assert problem_of(answer) == "other account" and not is_in(other)
    assert "with another city account. Ask " in said(other, answer)


def test_who_comes_back_in_another_browser_or_with_another_state_is_not_let_in(
    client, provider, invited, between
):
    begun = client.get(BEGIN)
    back = urlsplit(provider.let_in(begun.headers["Location"], invited[1]))
    code = query_of(back.geturl())["code"]
    thief = client.application.test_client()
    thief.get(BEGIN)
    for one, query in (
        (thief, back.query),
        (client.application.test_client(), back.query),
        (client, f"code={code}"),
        (client, f"code={code}&state="),
        (client, f"code={code}&state=%C3%A9"),
    ):
        assert problem_of(one.get(f"{BACK}?{query}")) == "city account" and not is_in(one)
    assert between.times("/oauth2/token") == 0, "nothing of it went to the provider"
    assert client.get(f"{BACK}?{back.query}").headers["Location"] == "/staff/today"


def test_a_code_is_good_once(client, provider, invited):
    begun = client.get(BEGIN)
    kept = client.get_cookie(CITY_COOKIE).value
    back = urlsplit(provider.let_in(begun.headers["Location"], invited[1]))
    assert client.get(f"{BACK}?{back.query}").headers["Location"] == "/staff/today"
    again = client.application.test_client()
    again.set_cookie(CITY_COOKIE, kept)
    assert problem_of(again.get(f"{BACK}?{back.query}")) == "city account" and not is_in(again)


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"error": "access_denied"}, "cancelled"),
        ({"error": "server_error", "code": "x"}, "city account"),
        ({"code": "x", "iss": "https://evil.example"}, "city account"),
        ({"code": ""}, "city account"),
        ({"code": "x" * 5000}, "city account"),
    ],
)
def test_an_answer_that_is_none_lets_nobody_in(client, between, query, problem):
    state = query_of(client.get(BEGIN).headers["Location"])["state"]
    answer = client.get(f"{BACK}?{urlencode({**query, 'state': state})}")
    assert problem_of(answer) == problem and between.times("/oauth2/token") == 0


def claims_with(**changed):
    return lambda forger, claims: forger.sign(
        {name: one for name, one in {**claims, **changed}.items() if one is not None}
    )


def unsigned(_forger, claims):
    parts = ({"alg": "none", "kid": "forged"}, claims)
    return ".".join([*(encoded(json.dumps(one).encode()) for one in parts), ""])


def with_the_public_key_as_secret(forger, claims):
    parts = ({"alg": "HS256", "kid": "forged"}, claims)
    text = ".".join(encoded(json.dumps(one).encode()) for one in parts)
    return f"{text}.{encoded(hmac.digest(forger.pem, text.encode(), 'sha256'))}"


def of_another_key(_forger, claims):
    key = ECKey.generate_key("P-256", {"kid": "forged"})
    return jwt.encode({"alg": "ES256", "kid": "forged"}, claims, key)


def with_a_key_of_its_own(_forger, claims):
    key = ECKey.generate_key("P-256", {"kid": "own"})
    header = {"alg": "ES256", "kid": "own", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, claims, key)


def torn(forger, claims):
    return forger.sign(claims)[:-9]


FORGED = {
    "issuer": claims_with(iss="https://evil.example"),
    "no issuer": claims_with(iss=None),
    "audience": claims_with(aud="another site"),
    "audiences": claims_with(aud=[CLIENT, "another site"]),
    "authorized party": claims_with(aud=[CLIENT, "another site"], azp="another site"),
    "authorized party alone": claims_with(azp="another site"),
    "nonce": claims_with(nonce="of another sign-in"),
    "no nonce": claims_with(nonce=None),
    "no number as nonce": claims_with(nonce=1),
    "expired": claims_with(exp=1_700_000_000),
    "never expires": claims_with(exp=float("nan")),
    "no expiry": claims_with(exp=None),
    "made in the future": claims_with(iat=4_000_000_000),
    "at_hash": claims_with(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "no subject": claims_with(sub=None),
    "empty subject": claims_with(sub=""),
    "long subject": claims_with(sub="x" * 256),
    "unsigned": unsigned,
    "public key as secret": with_the_public_key_as_secret,
    "another key": of_another_key,
    "a key it brings": with_a_key_of_its_own,
    "torn": torn,
    "no token": lambda _forger, _claims: None,
}


@pytest.fixture
def forger(between):
    made = Forger(between)
    made.publish()
    return made


@pytest.mark.parametrize("forged", FORGED)
def test_a_token_that_proves_nothing_lets_nobody_in(client, provider, invited, forger, forged, caplog):
    forger.replace(lambda claims, _answer: FORGED[forged](forger, claims))
    answer = go_and_return(client, provider, invited[1])
    assert problem_of(answer) == "city account" and not is_in(client)
    assert "did not work. Try again, or ask " in said(client, answer)
    assert [one.levelname for one in caplog.records if one.name == "serving.city_account"] == ["WARNING"]


def test_what_is_refused_is_refused_for_what_is_wrong_with_it(client, provider, invited, forger):
    """The same forger with nothing wrong in it, a second audience named rightly and a late clock."""
    now = int(system_clock().timestamp())
    forger.replace(
        lambda claims, _answer: forger.sign(
            {**claims, "aud": [CLIENT, "x"], "azp": CLIENT, "exp": now - 30, "nbf": now + 30}
        )
    )
    assert go_and_return(client, provider, invited[1]).headers["Location"] == "/staff/today"


def test_only_keys_that_can_sign_are_taken_and_unreadable_ones_harm_nobody():
    good = ECKey.generate_key("P-256", {"kid": "good"}).as_dict(private=False)
    others = [{"kty": "oct", "k": "c2VjcmV0", "kid": "oct"}, {"kty": "EC", "crv": "P-1"}, {"kty": "PQ"}, 7]
    kept = keys_of({"keys": [*others, {**good, "use": "enc", "kid": "enc"}, good]})
    assert [one.kid for one in kept] == ["good"]
    assert list(keys_of({"keys": "none"})) == list(keys_of({})) == []


# --- the provider --------------------------------------------------------------------------------


def test_keys_that_were_changed_are_asked_for_again_but_not_at_every_try(
    client, provider, invited, between, clock
):
    old, new = Forger(between, "old"), Forger(between, "new")
    old.publish()
    old.replace(lambda claims, _answer: old.sign(claims))
    assert go_and_return(client, provider, invited[1]).headers["Location"] == "/staff/today"
    new.publish()
    new.replace(lambda claims, _answer: new.sign(claims))
    others = [client.application.test_client() for _ in range(4)]
    for one in others[:2]:
        assert problem_of(go_and_return(one, provider, invited[1])) == "city account"
    assert between.times("/jwks") == 1
    clock.shift += ASK_AGAIN
    assert go_and_return(others[2], provider, invited[1]).headers["Location"] == "/staff/today"
    assert between.times("/jwks") == 2
    # A key that was taken back is believed no longer than KEPT.
    clock.shift += KEPT
    new.replace(lambda claims, _answer: old.sign({**claims, "exp": claims["exp"] + 9000}))
    assert problem_of(go_and_return(others[3], provider, invited[1])) == "city account"


def test_a_provider_that_is_away_keeps_nobody_from_signing_in_with_a_password(
    client, invited, between, clock, engine, monkeypatch
):
    for name, least in (("MEMORY_KIB", 8), ("PASSES", 1), ("LANES", 1)):
        monkeypatch.setattr(passwords, name, least)
    person, _subject = invited
    with writing(engine, system_clock) as write:
        passwords.keep(write, person.id, passwords.hashed("correct horse battery staple"))
    between.is_down = True
    for _ in range(3):
        answer = client.get(BEGIN)
        assert problem_of(answer) == "away" and "does not answer right now" in said(client, answer)
    assert len(between.asked) == 1, "nobody else waits for what did not answer a moment ago"
    form = re.search(r'name="form" value="([^"]+)"', client.get("/sign-in").text)[1]
    sent = {"form": form, "email": person.email, "password": "correct horse battery staple"}
    assert client.post("/sign-in", data=sent).status_code == 303 and is_in(client)
    between.is_down, clock.shift = False, ASK_AGAIN
    assert "/oauth2/authorize" in client.application.test_client().get(BEGIN).headers["Location"]


@pytest.mark.parametrize("status", [302, 404, 429, 500, 200])
def test_a_provider_that_answers_nonsense_is_away(client, provider, between, status):
    state = query_of(client.get(BEGIN).headers["Location"])["state"]
    between.answer = httpx.Response(status, content=b"[" * 9000, headers={"Location": "http://evil.example/"})
    assert problem_of(client.get(f"{BACK}?code=x&state={state}")) == "away"
    assert [path for path, _ in between.asked] == ["/.well-known/openid-configuration", "/oauth2/token"]


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "http://127.0.0.1:1"},
        {"token_endpoint": "ftp://127.0.0.1/token"},
        {"authorization_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": "http://somebody@127.0.0.1/jwks"},
        {"authorization_endpoint": "http://127.0.0.1/\r\nSet-Cookie: x=y"},
    ],
)
def test_a_discovery_document_that_is_not_the_issuers_own_is_not_followed(client, between, changed):
    between.changes["/.well-known/openid-configuration"] = lambda words: {**words, **changed}
    assert problem_of(client.get(BEGIN)) == "away"


def test_the_secret_is_sent_as_the_provider_wants_it(client, provider, invited, between):
    between.changes["/.well-known/openid-configuration"] = lambda words: {
        **words,
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_post"],
    }
    assert go_and_return(client, provider, invited[1]).headers["Location"] == "/staff/today"
    [bought] = [form for path, form in between.asked if path == "/oauth2/token"]
    assert (bought["client_id"], bought["client_secret"]) == (CLIENT, SECRET)


def test_who_comes_back_with_made_up_codes_is_stopped(client, between):
    problems = []
    for _ in range(attempts.OF_CITY_ACCOUNTS + 2):
        state = query_of(client.get(BEGIN).headers["Location"])["state"]
        between.answer = httpx.Response(400, json={"error": "invalid_grant"})
        problems.append(problem_of(client.get(f"{BACK}?code=made-up&state={state}")))
        between.answer = None
    assert problems == ["city account"] * attempts.OF_CITY_ACCOUNTS + ["too many"] * 2
    assert client.get("/sign-in").status_code == 200


# --- what is shown and told ------------------------------------------------------------------------


def test_without_a_provider_there_is_no_such_way_in(engine):
    client = app.make_server(engine, catalogue_of(city_files()), "harbor").test_client()
    assert client.get(BEGIN).status_code == client.get(BACK).status_code == 404
    page = client.get("/sign-in?problem=disabled&signed-out=1").text
    assert "city account" not in page and "disabled" not in page


def test_a_problem_in_the_address_is_one_of_ours_or_none(client):
    page = client.get("/sign-in?problem={contact}<script>")
    assert page.status_code == 200 and "script>" not in re.sub(r"<script src[^>]*></script>", "", page.text)
    assert 'role="alert"' not in page.text


def test_nothing_secret_is_logged_or_kept(client, provider, invited, between, forger, engine, caplog):
    caplog.set_level(logging.DEBUG)
    tokens = []
    forger.replace(lambda claims, answer: tokens.append((forger.sign(claims), answer)) or tokens[-1][0])
    begun = client.get(BEGIN)
    kept = client.get_cookie(CITY_COOKIE).value
    back = urlsplit(provider.let_in(begun.headers["Location"], invited[1]))
    client.get(f"{BACK}?{back.query}")
    client.set_cookie(CITY_COOKIE, kept)
    problem_of(client.get(f"{BACK}?{back.query}"))
    [(token, answer)] = tokens
    [verifier, *_] = [form["code_verifier"] for path, form in between.asked if path == "/oauth2/token"]
    code = query_of(back.geturl())["code"]
    ours = [one for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))]
    told = "".join(one.getMessage() + str(one.exc_text) for one in caplog.records)
    with reading(engine) as connection:
        tables = ("sessions", "identities", "audit_log", "attempts", "people")
        told += "".join(str(connection.exec_driver_sql(f"SELECT * FROM {one}").all()) for one in tables)
    session = client.get_cookie(COOKIE).value
    for secret in (SECRET, token, answer["access_token"], verifier, kept[:43], session):
        assert secret not in told
    assert ours and not any(code in one.getMessage() for one in ours)


# --- the settings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "issuer",
    [
        *(
            "https://login.example.org",
            "https://login.example.org/realms/city",
            "https://a.example.org:8443/",
        ),
        *("http://localhost:9400", "http://127.0.0.1:9400/x"),
    ],
)
def test_an_issuer_is_taken_letter_for_letter(issuer):
    given = {"OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": CLIENT}
    assert settings.from_environment(given).oidc_issuer == issuer


@pytest.mark.parametrize(
    "issuer",
    [
        *("http://login.example.org", "login.example.org", "https://", "https://a.example/?x=1"),
        *("https://somebody@a.example", "https://a.example/#x", "https://a.example/ b", "http://localhost"),
    ],
)
def test_an_issuer_that_is_not_one_is_told_with_its_variable(issuer):
    with pytest.raises(settings.SettingError, match=r"OIDC_ISSUER is .* /\.well-known/openid"):
        settings.from_environment({"OIDC_ISSUER": issuer, "OIDC_CLIENT_ID": CLIENT})


def test_what_goes_together_is_set_together_and_the_secret_is_shown_to_nobody(tmp_path, monkeypatch):
    for alone in ({"OIDC_ISSUER": "https://a.example"}, {"OIDC_CLIENT_ID": CLIENT}):
        with pytest.raises(settings.SettingError, match="OIDC_ISSUER and OIDC_CLIENT_ID go together"):
            settings.from_environment(alone)
    chosen = settings.from_environment({"OIDC_ISSUER": "https://a.example", "OIDC_CLIENT_ID": CLIENT})
    monkeypatch.delenv("OIDC_CLIENT_SECRET", raising=False)
    with pytest.raises(
        settings.SettingError, match="without OIDC_CLIENT_SECRET; set it, or OIDC_CLIENT_SECRET_FILE"
    ):
        app._provider(chosen)
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    monkeypatch.setenv("OIDC_CLIENT_SECRET_FILE", str(tmp_path / "secret"))
    registered = app._provider(chosen).registration
    assert registered.secret == SECRET and SECRET not in repr(registered)
    assert app._provider(settings.from_environment({})) is None
