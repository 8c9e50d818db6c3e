"""The settings of a center."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from matpho_contracts.settings import SettingsBase
from matpho_embeddings.index.settings import IndexSettings
from matpho_platform.access.settings import AccessSettings, AccountEntry
from matpho_platform.audit.soc import SocSettings
from matpho_platform.cameras.areas import Area
from matpho_platform.cameras.edges import EdgeEntry
from matpho_platform.identity.schemas import IdentitySettings
from matpho_platform.incidents.workflow.settings import WorkflowSettings
from matpho_platform.notify.settings import NotifySettings

GIB = 1024**3


class CenterSettings(SettingsBase):
    """One file, one center."""

    name: str = "matpho"
    data: Path
    """Folder of everything the center keeps: database, stills, clips, index, key."""
    database_url: SecretStr | None = None
    """`postgresql+psycopg://…`; without it a SQLite file in the data folder."""
    index: IndexSettings | None = None
    """Where vectors are kept; without it, an index in the data folder."""
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    origins: tuple[str, ...] = ()
    """Further origins (`https://city.example`) whose pages may act for a signed-in person; our own always may."""
    behind_proxy: bool = False
    """Whether a proxy in front ends TLS and says the client's address (X-Forwarded-For); cookies are then secure."""
    areas: tuple[Area, ...] = ()
    policies: Path | None = None
    """Folder of the policy files that decide who may do what; without it, the ones that ship."""
    information: Path | None = None
    """A YAML file that replaces and adds entries of public information: opening hours, addresses, retention."""
    edges: tuple[EdgeEntry, ...] = ()
    access: AccessSettings = AccessSettings()
    """How people sign in."""
    accounts: tuple[AccountEntry, ...] = ()
    """Made when absent; there is no account and no password that is not written here or made by hand."""
    soc: SocSettings | None = None
    """The security operations centre that gets every audit entry; without it none does."""
    clip_quota_bytes: int = Field(default=20 * GIB, gt=0)
    min_free_bytes: int = Field(default=64 * 1024 * 1024, ge=0)
    """Room on the disk that stills and clips never take."""
    identity: IdentitySettings = IdentitySettings()
    """The grant of the authentication centre and where it is; without a grant no identity check can be asked for."""
    workflows: WorkflowSettings = WorkflowSettings()
    """The engine that follows incidents: deadlines, escalation."""
    notify: NotifySettings = NotifySettings()
    """How people are told: mail, text messages, chats, browsers, other systems; manners."""
    evidence_quota_bytes: int = Field(default=100 * GIB, gt=0)
    """Room for packages of evidence; they are never removed to make room."""
