"""What an installation decides about signing in: the second factor, its own address, who else may vouch for people."""

from __future__ import annotations

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr

from matpho_contracts.ids import ShortId
from matpho_contracts.settings import SettingsBase
from matpho_platform.access.principal import Role


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/")):
        raise ValueError("an address like https://matpho.example, without a path")
    if parts.scheme == "http" and not is_loopback(parts.hostname or ""):
        raise ValueError("https, except on this machine")
    return value.rstrip("/")


def _issuer(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname or "")):
        raise ValueError("an issuer's address begins with https")
    return value


class AccountEntry(SettingsBase):
    """An account that the settings make when it is not there (a demonstration, a first administrator)."""

    id: ShortId
    name: str = Field(max_length=200)
    role: Role
    areas: tuple[ShortId, ...] = ()
    password: SecretStr


class OidcProvider(SettingsBase):
    """Somebody else who knows our people: an OpenID Connect provider (authorization code with PKCE)."""

    id: Annotated[ShortId, Field(max_length=32)]
    name: str = Field(max_length=100)
    issuer: Annotated[str, Field(max_length=200), AfterValidator(_issuer)]
    client_id: str
    client_secret: SecretStr
    scope: str = "openid profile"
    provision: bool = False
    """Whether somebody whom no account is linked to gets one, of the role citizen."""
    mfa_amr: tuple[str, ...] = ("mfa",)
    """Values of the claim `amr` (RFC 8176) that stand for a second factor."""
    mfa_acr: tuple[str, ...] = ()
    """Values of the claim `acr` that do."""


class AccessSettings(SettingsBase):
    """How people sign in."""

    mfa_required: bool = True
    """Whether everybody but citizens needs a second factor; whoever has one must show it in any case."""
    public_url: Annotated[str, AfterValidator(_origin)] = ""
    """Where people's browsers reach us (`https://matpho.example`): the origin of passkeys and of OIDC's way back.

    Without it both work in a browser on this machine only, at `http://localhost`.
    """
    oidc: tuple[OidcProvider, ...] = ()
