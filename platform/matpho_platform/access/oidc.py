"""Signing in through an OpenID Connect provider: authorization code with PKCE, state and nonce (Authlib, joserfc).

1 we send the browser there with a state, a nonce and a challenge, kept here for ten minutes under a name that only a
cookie of this browser holds; 2 it comes back with a code; 3 the name is taken back, once, and provider and state must
be those of step 1; 4 the answer's issuer (RFC 9207) must be the provider's; 5 the code and the verifier buy an ID
token; 6 its signature (by an asymmetric algorithm), issuer, audience, times, nonce and subject are checked.
What comes out is who the provider says it is, never an account: that is looked up by (issuer, subject) alone.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx2
from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]  # ships no types
from authlib.integrations.starlette_client import OAuth  # type: ignore[import-untyped]  # ships no types
from joserfc.errors import JoseError

from matpho_contracts.errors import NotFoundError, UnavailableError
from matpho_contracts.times import from_unix_ms, now
from matpho_platform.access.errors import OidcError
from matpho_platform.access.one_time import OneTime, Purpose
from matpho_platform.access.sessions import Clock
from matpho_platform.access.settings import OidcProvider

ROUND_TRIP = timedelta(minutes=10)
"""How long a person may take at the provider."""
CALL_SECONDS = 10.0
MAX_PARAMETER = 4096
LEEWAY_S = 60
ALGORITHMS = ("RS256", "PS256", "ES256", "ES384", "RS384", "RS512", "PS384", "PS512", "Ed25519")
_FOREIGN = (
    AuthlibBaseError,
    JoseError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    RuntimeError,
)
"""What libraries raise when a provider, or somebody in its place, answers anything at all."""


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and the name for its cookie."""

    url: str
    name: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """Whom a provider vouches for."""

    issuer: str
    subject: str
    name: str
    mfa_at: datetime | None
    """When they showed the provider a second factor; None: not, or it does not say."""
    link: str
    """The account that asked to be linked; empty for a sign-in."""
    provider: OidcProvider


class Oidc:
    """The providers of this installation."""

    def __init__(self, providers: Sequence[OidcProvider], one_time: OneTime, clock: Clock = now) -> None:
        self._one_time = one_time
        self._clock = clock
        self._providers = {provider.id: provider for provider in providers}
        self._oauth = OAuth()
        for provider in providers:
            self._oauth.register(
                name=provider.id,
                client_id=provider.client_id,
                client_secret=provider.client_secret.get_secret_value(),
                server_metadata_url=provider.issuer.rstrip("/") + "/.well-known/openid-configuration",
                client_kwargs={
                    "scope": provider.scope,
                    "code_challenge_method": "S256",
                    "timeout": CALL_SECONDS,
                    "follow_redirects": False,
                },
            )

    def providers(self) -> Sequence[OidcProvider]:
        """Whom one may sign in through."""
        return tuple(self._providers.values())

    async def depart(self, provider_id: str, redirect_uri: str, *, link: str = "") -> Departure:
        """Step 1; raises NotFoundError, UnavailableError."""
        provider = self._provider(provider_id)
        try:
            client = await self._client(provider)
            made = await client.create_authorization_url(redirect_uri)
        except _FOREIGN as error:
            raise UnavailableError(f"{provider.name} does not answer.", action="Sign in another way.") from error
        payload = {
            "provider": provider.id,
            "state": made["state"],
            "nonce": made["nonce"],
            "verifier": made["code_verifier"],
            "redirect_uri": redirect_uri,
        }
        name = await self._one_time.give(Purpose.OIDC, ROUND_TRIP, subject=link, payload=payload)
        return Departure(made["url"], name)

    async def arrive(self, provider_id: str, name: str, answer: Mapping[str, str]) -> Vouched:
        """Steps 3 to 6; raises OidcError or OneTimeError, whatever came back."""
        provider = self._provider(provider_id)
        given = await self._one_time.take(name, Purpose.OIDC)  # 3
        kept = given.payload
        state = answer.get("state", "").encode()
        if kept["provider"] != provider.id or not hmac.compare_digest(state, kept["state"].encode()):
            raise _refused(provider)
        if "error" in answer or not 0 < len(answer.get("code", "")) <= MAX_PARAMETER:
            raise OidcError(f"{provider.name} did not sign you in.", action="Try again, or sign in another way.")
        try:
            claims = await self._claims(provider, kept, answer)
        except _FOREIGN as error:
            raise _refused(provider) from error
        return Vouched(
            issuer=provider.issuer,
            subject=claims["sub"],
            name=str(claims.get("name") or claims.get("preferred_username") or "")[:200],
            mfa_at=self._mfa_at(provider, claims),
            link=given.subject,
            provider=provider,
        )

    async def _claims(
        self, provider: OidcProvider, kept: Mapping[str, Any], answer: Mapping[str, str]
    ) -> Mapping[str, Any]:
        client = await self._client(provider)
        says_issuer = client.server_metadata.get("authorization_response_iss_parameter_supported") is True
        if answer.get("iss", "" if says_issuer else provider.issuer) != provider.issuer:  # 4
            raise _refused(provider)
        token = await client.fetch_access_token(  # 5
            redirect_uri=kept["redirect_uri"], code=answer["code"], code_verifier=kept["verifier"]
        )
        needed = {"essential": True}
        options = {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
            "nonce": {"essential": True, "value": kept["nonce"]},
            **dict.fromkeys(("sub", "exp", "iat"), needed),
        }
        claims: Mapping[str, Any] | None = await client.parse_id_token(  # 6
            token, nonce=kept["nonce"], claims_options=options, leeway=LEEWAY_S
        )
        if claims is None or not isinstance(claims["sub"], str) or not 0 < len(claims["sub"]) <= 255:
            raise _refused(provider)
        return claims

    def _mfa_at(self, provider: OidcProvider, claims: Mapping[str, Any]) -> datetime | None:
        amr = claims.get("amr")
        shown = {value for value in amr if isinstance(value, str)} if isinstance(amr, list) else set()
        if not shown & set(provider.mfa_amr) and claims.get("acr") not in provider.mfa_acr:
            return None
        at, present = claims.get("auth_time"), self._clock()
        if not isinstance(at, int | float) or isinstance(at, bool):
            return present
        return min(present, from_unix_ms(max(0, round(at * 1000))))

    async def _client(self, provider: OidcProvider) -> Any:
        """Authlib's client with the provider's metadata, which must be of that provider and name no weak algorithm."""
        client = self._oauth.create_client(provider.id)
        metadata = await client.load_server_metadata()
        if metadata.get("issuer") != provider.issuer:
            metadata.clear()
            raise _refused(provider)
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [name for name in offered if name in ALGORITHMS] or [
            "RS256"
        ]
        return client

    def _provider(self, provider_id: str) -> OidcProvider:
        try:
            return self._providers[provider_id]
        except KeyError:
            raise NotFoundError("There is no such provider.") from None


def _refused(provider: OidcProvider) -> OidcError:
    return OidcError(
        f"The answer of {provider.name} could not be verified.", action="Begin again from our sign-in page."
    )
