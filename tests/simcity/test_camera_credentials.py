"""Digest, UsernameToken, nonces: what is accepted, and that each guard is needed."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from matpho_simcity.camera.access import Account, Nonces
from matpho_simcity.camera.digest import DigestGuard, Verdict, parse_authorization
from matpho_simcity.camera.wsse import TokenGuard, UsernameToken

REALM = "camera"
PASSWORD = "right"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def answer(nonce: str, password: str = PASSWORD, *, algorithm: str = "MD5", uri: str = "/a", count: int = 0, **changed):
    digest = hashlib.sha256 if algorithm == "SHA-256" else hashlib.md5

    def h(text: str) -> str:
        return digest(text.encode()).hexdigest()

    first, second = h(f"admin:{REALM}:{password}"), h(f"GET:{uri}")
    fields = {"username": "admin", "realm": REALM, "nonce": nonce, "uri": uri, "algorithm": algorithm}
    if count:
        fields |= {"qop": "auth", "nc": f"{count:08x}", "cnonce": "c0"}
        fields["response"] = h(f"{first}:{nonce}:{count:08x}:c0:auth:{second}")
    else:
        fields["response"] = h(f"{first}:{nonce}:{second}")
    return "Digest " + ", ".join(f'{name}="{value}"' for name, value in (fields | changed).items())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def nonces(clock: Clock) -> Nonces:
    return Nonces(60.0, clock)


@pytest.fixture
def http(nonces: Nonces) -> DigestGuard:
    return DigestGuard(Account("admin", "right"), REALM, nonces, offer_qop=True)


@pytest.fixture
def rtsp(nonces: Nonces) -> DigestGuard:
    return DigestGuard(Account("admin", "right"), REALM, nonces, offer_qop=False)


class TestDigest:
    @pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
    def test_right_password(self, http: DigestGuard, nonces: Nonces, algorithm: str) -> None:
        assert http.judge(answer(nonces.issue(), algorithm=algorithm, count=1), "GET", "/a") is Verdict.ALLOWED

    def test_stronger_algorithm_is_offered_first(self, http: DigestGuard) -> None:
        assert ["SHA-256" in one for one in http.challenges()] == [True, False]

    @pytest.mark.parametrize(
        ("header", "verdict"),
        [
            (None, Verdict.MISSING),
            ("", Verdict.MISSING),
            ("Basic YWRtaW46cmlnaHQ=", Verdict.WRONG),
            ("Digest", Verdict.WRONG),
            ("Digest username=admin", Verdict.WRONG),
            ("Digest " + "x" * 5000, Verdict.WRONG),
        ],
    )
    def test_no_digest_no_entry(self, http: DigestGuard, header: str | None, verdict: Verdict) -> None:
        assert http.judge(header, "GET", "/a") is verdict

    @pytest.mark.parametrize(
        "changed",
        [
            {"username": "root"},
            {"realm": "other"},
            {"uri": "/b"},
            {"algorithm": "MD5-sess"},
            {"qop": "auth-int"},
            {"response": "0" * 32},
            {"response": "é"},
            {"nc": "zzzzzzzz"},
            {"cnonce": ""},
        ],
    )
    def test_any_changed_field_is_refused(self, http: DigestGuard, nonces: Nonces, changed: dict[str, str]) -> None:
        assert http.judge(answer(nonces.issue(), count=1, **changed), "GET", "/a") is Verdict.WRONG

    def test_wrong_password_and_wrong_method(self, http: DigestGuard, nonces: Nonces) -> None:
        assert http.judge(answer(nonces.issue(), "wrong", count=1), "GET", "/a") is Verdict.WRONG
        assert http.judge(answer(nonces.issue(), count=1), "POST", "/a") is Verdict.WRONG

    def test_answer_for_another_path_is_refused(self, http: DigestGuard, nonces: Nonces) -> None:
        assert http.judge(answer(nonces.issue(), uri="/a", count=1), "GET", "/secret") is Verdict.WRONG

    def test_replay_is_refused(self, http: DigestGuard, nonces: Nonces) -> None:
        nonce = nonces.issue()
        assert http.judge(answer(nonce, count=1), "GET", "/a") is Verdict.ALLOWED
        assert http.judge(answer(nonce, count=1), "GET", "/a") is Verdict.STALE
        assert http.judge(answer(nonce, count=2), "GET", "/a") is Verdict.ALLOWED

    def test_leaving_qop_out_does_not_switch_the_replay_check_off(self, http: DigestGuard, nonces: Nonces) -> None:
        assert http.judge(answer(nonces.issue()), "GET", "/a") is Verdict.WRONG

    def test_old_nonce_is_stale(self, http: DigestGuard, nonces: Nonces, clock: Clock) -> None:
        nonce = nonces.issue()
        clock.now += 61
        assert http.judge(answer(nonce, count=1), "GET", "/a") is Verdict.STALE

    def test_foreign_nonce_is_refused(self, http: DigestGuard, nonces: Nonces) -> None:
        forged = nonces.issue()[:-1] + "g"
        assert http.judge(answer(forged, count=1), "GET", "/a") is Verdict.WRONG
        assert http.judge(answer("ế" * 64, count=1), "GET", "/a") is Verdict.WRONG

    def test_rtsp_nonce_lives_as_long_as_its_connection(self, rtsp: DigestGuard, nonces: Nonces, clock: Clock) -> None:
        nonce = nonces.issue()
        assert rtsp.judge(answer(nonce), "GET", "/a") is Verdict.ALLOWED
        clock.now += 3600
        assert rtsp.judge(answer(nonce), "GET", "/a", held_nonce=nonce) is Verdict.ALLOWED
        assert rtsp.judge(answer(nonce), "GET", "/a") is Verdict.STALE

    def test_absolute_and_relative_targets_are_the_same(self, rtsp: DigestGuard, nonces: Nonces) -> None:
        assert rtsp.judge(answer(nonces.issue(), uri="/a"), "GET", "rtsp://host:554/a/") is Verdict.ALLOWED

    def test_quoted_pairs_are_read(self) -> None:
        parsed = parse_authorization(r'Digest username="a\"b", realm="r", nonce="n", uri="/", response="x"')
        assert parsed is not None
        assert parsed.username == 'a"b'

    def test_password_does_not_show(self) -> None:
        assert "hunter2" not in repr(Account("admin", "hunter2"))


def token(password: str = PASSWORD, created: datetime = NOW, nonce: bytes = b"n1") -> UsernameToken:
    stamp = created.strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = base64.b64encode(
        hashlib.sha1(nonce + stamp.encode() + password.encode(), usedforsecurity=False).digest()
    ).decode()
    return UsernameToken("admin", digest, base64.b64encode(nonce).decode(), stamp, is_digest=True)


class TestUsernameToken:
    @pytest.fixture
    def guard(self) -> TokenGuard:
        return TokenGuard(Account("admin", "right"), 300, lambda: NOW)

    def test_right(self, guard: TokenGuard) -> None:
        assert guard.judge(token()) is Verdict.ALLOWED

    def test_missing(self, guard: TokenGuard) -> None:
        assert guard.judge(None) is Verdict.MISSING

    @pytest.mark.parametrize(
        "wrong",
        [
            token("wrong"),
            replace(token(), username="root"),
            replace(token(), is_digest=False, password="right"),
            replace(token(), nonce="***"),
            replace(token(), nonce=""),
            replace(token(), created="yesterday"),
        ],
    )
    def test_wrong(self, guard: TokenGuard, wrong: UsernameToken) -> None:
        assert guard.judge(wrong) is Verdict.WRONG

    def test_replay(self, guard: TokenGuard) -> None:
        assert guard.judge(token()) is Verdict.ALLOWED
        assert guard.judge(token()) is Verdict.STALE
        assert guard.judge(token(nonce=b"n2")) is Verdict.ALLOWED

    @pytest.mark.parametrize("seconds", [-301, 301])
    def test_outside_the_window(self, guard: TokenGuard, seconds: int) -> None:
        assert guard.judge(token(created=NOW + timedelta(seconds=seconds))) is Verdict.STALE

    def test_a_wrong_token_does_not_fill_the_memory(self, guard: TokenGuard) -> None:
        assert guard.judge(token("wrong", nonce=b"n9")) is Verdict.WRONG
        assert guard.judge(token(nonce=b"n9")) is Verdict.ALLOWED
