"""The settings of one installation: `matpho.yaml` in its home, everything with a default."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr

from matpho.home import Home
from matpho_agent.planner.model_settings import AssistantSettings, ModelSettings
from matpho_contracts.settings import SettingsBase, load_settings
from matpho_embeddings.index.settings import IndexSettings
from matpho_platform.access.settings import AccessSettings
from matpho_platform.audit.soc import SocSettings
from matpho_platform.cameras.areas import Area
from matpho_platform.cameras.edges import EdgeEntry
from matpho_platform.identity.schemas import IdentitySettings
from matpho_platform.incidents.procedure import Procedure
from matpho_platform.incidents.schemas import Unit
from matpho_platform.incidents.workflow.settings import WorkflowSettings
from matpho_platform.notify.settings import NotifySettings
from matpho_platform.settings import CenterSettings

DEFAULT_AREAS = (Area(code="local", name="Địa bàn này", level="province", aliases=("this area",)),)
"""Where an installation that names no areas puts everything."""


class WebSettings(SettingsBase):
    """Where people reach the center."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    origins: tuple[str, ...] = ()
    behind_proxy: bool = False


class MatphoSettings(SettingsBase):
    """One file, one installation."""

    name: str = "matpho"
    areas: tuple[Area, ...] = DEFAULT_AREAS
    edges: tuple[EdgeEntry, ...] = ()
    web: WebSettings = WebSettings()
    units: tuple[Unit, ...] = ()
    """Forces that can be sent; a unit that is in the register already is changed."""
    procedures: tuple[Procedure, ...] = ()
    """Standard operating procedures; one that is in the register already is changed."""
    identity: IdentitySettings = IdentitySettings()
    """What the authentication centre lets this unit ask, and where it is; without it nothing can be asked for."""
    policies: Path | None = None
    """Folder of the Cedar files that decide who may do what; without it, the ones that ship."""
    information: Path | None = None
    """A YAML file that replaces and adds entries of public information."""
    access: AccessSettings = AccessSettings()
    """How people sign in: second factor, own address, providers."""
    database_url: SecretStr | None = None
    """`postgresql+psycopg://…`; without it a SQLite file in the home."""
    index: IndexSettings | None = None
    """A Qdrant server; without it Qdrant Edge in the home."""
    encoder: str = "city"
    """A shipped model, a folder made by `matpho models export`, or `open_clip:MODEL/WEIGHTS`."""
    detector: str = "city-detector"
    """A shipped model, an .onnx file, or a .pt file (needs the extra `train`)."""
    workflows: WorkflowSettings = WorkflowSettings(on=True)
    """Whether and how a served center follows incidents: deadlines, escalation; docs/procedures.md."""
    notify: NotifySettings = NotifySettings()
    """How people are told: mail, text messages, chats, browsers, other systems; docs/notifications.md."""
    soc: SocSettings | None = None
    """A security operations centre's syslog receiver over TLS; it gets every audit entry."""
    model: ModelSettings | None = None
    """An OpenAI-compatible model in place of the deterministic planner; absent is none."""

    @classmethod
    def of(cls, home: Home) -> MatphoSettings:
        """The settings of a home; the defaults when it has no file."""
        return load_settings(home.settings_file, cls) if home.settings_file.exists() else cls()

    def talk(self, home: Home) -> AssistantSettings:
        """What the assistant takes of them."""
        return AssistantSettings(model=self.model, memory_path=home.center / "conversations.db")

    def center(self, home: Home, *, follow: bool = False) -> CenterSettings:
        """What the center takes of them; only one that serves follows incidents."""
        return CenterSettings(
            name=self.name,
            data=home.center,
            database_url=self.database_url,
            index=self.index,
            host=self.web.host,
            port=self.web.port,
            origins=self.web.origins,
            behind_proxy=self.web.behind_proxy,
            access=self.access,
            areas=self.areas,
            edges=self.edges,
            soc=self.soc,
            identity=self.identity,
            notify=self.notify,
            workflows=self.workflows if follow else WorkflowSettings(),
            policies=self.policies,
            information=self.information,
        )
