"""A message as it goes out: rendered for a person, in no channel's form yet, and the contract of a channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from matpho_platform.notify.schemas import Action, Channel

Language = Literal["vi", "en"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that a message tells. `quoted`: it came from outside and is shown as data."""

    label: str
    value: str
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to one person."""

    key: str
    """Idempotency key: the same for every try."""
    token: str
    """Names the message in buttons and answers."""
    language: Language
    title: str
    lines: tuple[Line, ...] = ()
    link: str = ""
    """Absolute, on our own pages."""
    link_words: str = ""
    actions: tuple[tuple[Action, str], ...] = ()
    """What the person may do, with the words of the button."""
    answer_words: str = ""
    """How to answer by text, for channels without buttons."""
    picture: bytes | None = field(default=None, repr=False)
    """A redacted still, JPEG."""
    critical: bool = False
    data: Mapping[str, Any] = field(default_factory=dict)
    """The notices as values, for machines."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A channel took the message; `foreign_id` is what it calls it."""

    foreign_id: str = ""


class Sender(Protocol):
    """One channel. `send` raises SendError (try again) or RefusedError (never), and nothing else."""

    channel: Channel
    takes_pictures: bool

    async def send(self, address: str, message: Outgoing) -> Taken:
        """Hand a message to the channel for an address of it."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
