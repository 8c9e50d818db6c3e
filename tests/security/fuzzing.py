"""Requests of every operation that an API describes, as every caller, and what is wrong with the answers."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.errors import SchemathesisError
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.security.serving import CALLERS, NOBODY, USERS, Served

from matpho_contracts.wire import CONTENT_TYPE

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
    response_headers_conformance,
]  # fmt: skip
TOOLS = "/api/v1/tools/"
"""Arguments of tools may be of a kindred type, as planning models write them: "20" is twenty, and false is none."""
OPEN = {"/healthz", "/readyz", "/api/v1/auth/ways"}
"""What answers anybody."""
UNKEYED = {
    *OPEN, "/api/v1/auth/sign-in", "/api/v1/auth/invitation", "/api/v1/auth/first-administrator",
    "/api/v1/auth/passkeys/sign-in", "/api/v1/auth/passkeys/sign-in/options", "/api/v1/auth/oidc/{provider}/start",
    "/api/v1/auth/oidc/{provider}/callback", "/api/v1/intake/batches", "/api/v1/edges/enrol",
    "/api/v1/edges/{edge_id}/status", "/api/v1/edges/{edge_id}/commands",
    "/api/v1/edges/{edge_id}/results/{command_id}", "/api/v1/notify/sms", "/api/v1/notify/telegram",
    "/api/v1/notify/zalo-bot", "/api/v1/notify/zalo-oa",
}  # fmt: skip
"""And what is opened by a password, a one-time token, a provider or a signature in the request, not by a session."""
NO_KEY = {400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429}
UNWELL = {"internal", "timeout", "http", "unavailable"}
"""A 503 says which part is away; none of these is a part."""
LONG = 100_000
"""Texts may be as long as a photo; here they are not."""
Send = Callable[[Any], None]


@schemathesis.serializer(CONTENT_TYPE)
def _upload(_context: Any, value: Any) -> bytes:
    """Whatever was made as an upload of a box, as it goes out."""
    return str(value).encode("utf-8", "surrogatepass")


ENDLESS = frozenset({"/api/v1/notify/me/stream"})
"""A stream that never ends by itself; its own tests read it."""


def judge(what: str, status: int, body: str, key: str, path: str) -> str:
    """What is wrong with an answer; empty where nothing is."""
    if status >= 500 and not (status == 503 and not any(f'"{word}"' in body for word in UNWELL)):
        return f"{what}: {status} {body[:300]}"
    if not key and path not in UNKEYED and status not in NO_KEY:
        return f"{what}: nobody was answered {status} {body[:300]}"
    return ""


@dataclass
class Fuzz:
    """Requests of every operation as every caller, and what was wrong with the answers."""

    served: Served
    unfit_as: tuple[str, ...] = CALLERS
    """Who makes the unfitting requests; the fitting ones everybody makes."""
    made: Counter[str] = field(default_factory=Counter)
    answered: Counter[int] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    probed: set[str] = field(default_factory=set)
    """Operations that answered somebody, and were asked the same without a key and with a wrong one."""
    wrong: dict[str, str] = field(default_factory=dict)
    """One example of each kind of wrong answer."""

    def __post_init__(self) -> None:
        self._rng = random.Random(20261121)
        self._http = requests.Session()
        self._http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self.schema = schemathesis.openapi.from_dict(_bounded(copy.deepcopy(self.served.document)))
        self.schema.config.generation.update(with_security_parameters=False)
        self.schema.config.checks.not_a_server_error.expected_statuses = ["2xx", "3xx", "4xx", "503"]
        city = self.served.things
        self._known = {
            "event_id": city.events, "event_ids": city.events, "camera_id": city.cameras, "camera_ids": city.cameras,
            "incident_id": city.incidents, "unit_id": city.units, "area": city.areas, "areas": city.areas,
            "request_id": city.requests, "code": city.codes, "edge_id": ["world"], "name": ["search_events"],
            "user_id": [user for user in city.users if user not in USERS.values()], "proposal_id": ["none-yet"],
        }  # fmt: skip

    def everything(self, examples: int, *, edges: bool = False) -> None:
        """Fitting and unfitting requests of all operations; `edges`: and what lies at the edge of each schema."""
        for operation in (result.ok() for result in self.schema.get_all_operations() if isinstance(result, Ok)):
            if operation.path in ENDLESS:
                self._open(operation.path)
                continue
            asked = operation.body or operation.path_parameters or operation.query
            for mode in GenerationMode if asked else [GenerationMode.POSITIVE]:
                try:
                    _each(operation.as_strategy(generation_mode=mode), examples if asked else 1, self.send)
                except (SchemathesisError, Unsatisfiable):  # of some nothing unfitting can be made
                    assert mode is GenerationMode.NEGATIVE, operation.label
            for case in self._edges(operation) if edges else ():
                self.send(case)

    def _open(self, path: str) -> None:
        """Open a stream as everybody, and leave it."""
        what = f"GET {path}"
        for caller in CALLERS:
            headers = self.served.headers(caller, fresh=caller in USERS)
            with self._http.get(self.served.url + path, headers=headers, timeout=60, stream=True) as answer:
                self.made[caller] += 1
                self.answered[answer.status_code] += 1
                self.operations[what] += 1
                problem = judge(what, answer.status_code, "", "" if caller == NOBODY else "key", path)
                if problem:
                    self.wrong.setdefault(f"{what} {answer.status_code}", f"{caller}: {problem}")

    def _edges(self, operation: Any) -> Iterable[Any]:
        generation = self.schema.config.generation
        return self.schema.iter_coverage_cases(  # type: ignore[no-any-return] # its own types say no more
            operation, generation_modes=list(GenerationMode), generation_config=generation
        )

    def send(self, case: Any) -> None:
        """As everybody, one after the other."""
        fits = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
        if fits and self._rng.random() < 0.5:
            self._aim(case)
        for caller in CALLERS if fits else self.unfit_as:
            headers = self.served.headers(caller)
            answer = self._call(case, headers)
            if (
                answer.status_code == 401 and caller in USERS and case.path not in UNKEYED
            ):  # the last request may have signed out
                headers = self.served.headers(caller, fresh=True)
                answer = self._call(case, headers)
            self._judged(case, caller, headers, answer)

    def _call(self, case: Any, headers: dict[str, str]) -> Any:
        return case.call(
            base_url=self.served.url, session=self._http, headers=headers, timeout=60, allow_redirects=False
        )

    def _judged(self, case: Any, caller: str, headers: dict[str, str], answer: Any) -> None:
        self.made[caller] += 1
        self.answered[answer.status_code] += 1
        what = f"{case.method} {case.path}"
        self.operations[what] += 1
        said = answer.content.decode("utf-8", "replace")  # a picture is no text
        problem = judge(what, answer.status_code, said, "" if caller == NOBODY else "key", case.path)
        if problem:
            self.wrong.setdefault(f"{what} {answer.status_code}", f"{caller}: {problem} | {str(case.body)[:300]}")
        if answer.status_code == 202:
            self._known["proposal_id"].append(answer.json()["data"]["proposal"]["id"])
        lax = case.path.startswith(TOOLS)
        probed = what in self.probed or answer.status_code >= 300
        self.probed |= set() if probed else {what}
        sent = {"base_url": self.served.url, "session": self._http, "headers": headers, "timeout": 60}
        try:
            checks = [*CHECKS, *([] if probed else [ignored_auth]), *([] if lax else [negative_data_rejection])]
            case.validate_response(answer, checks=checks, headers=headers, transport_kwargs=sent)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                self.wrong.setdefault(
                    f"{what} {failure.title} {answer.status_code}",
                    f"{caller}: {failure.message[:300]} | {case.path_parameters} {case.query} {str(case.body)[:300]}",
                )

    def _aim(self, case: Any) -> None:
        """Name things that there are, where a request names things."""
        for part in (case.path_parameters, case.query, case.body):
            for name in part if isinstance(part, dict) else ():
                if name in self._known:
                    thing = self._rng.choice(self._known[name][-20:])
                    part[name] = [thing] if isinstance(part[name], list) else thing


def _bounded(schema: Any) -> Any:
    """The document with no text longer than LONG."""
    if isinstance(schema, dict):
        if isinstance(schema.get("maxLength"), int):
            schema["maxLength"] = min(schema["maxLength"], LONG)
        for value in schema.values():
            _bounded(value)
    elif isinstance(schema, list):
        for value in schema:
            _bounded(value)
    return schema


def _each(cases: Any, examples: int, send: Send) -> None:
    """So many cases, one after the other."""

    @settings(
        max_examples=examples,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def one(case: Any) -> None:
        send(case)

    one()
