"""WS-Discovery messages (2005/04, as ONVIF uses it), the asking side. Pure: bytes in, values out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit, urlunsplit

from lxml import etree

from matpho_edge.credentials import MAX_URL_CHARACTERS, split_userinfo
from matpho_edge.onvif import xml

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
DISCOVERY = "http://schemas.xmlsoap.org/ws/2005/04/discovery"
TO_ALL = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
TYPES = (
    ("http://www.onvif.org/ver10/network/wsdl", "NetworkVideoTransmitter"),
    ("http://www.onvif.org/ver10/device/wsdl", "Device"),
    None,
)
"""Cameras answer only to the type they know: the old one, the new one, or a question without a type."""

MAX_ANSWER_BYTES = 64 * 1024
MAX_MATCHES = 64
MAX_XADDRS = 8
MAX_SCOPES = 64
MAX_WORD = 300
MAX_TEXT = 100
_SCOPE = "onvif://www.onvif.org/"


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that answered. `xaddrs` are device-service URLs, all on the host that answered, without userinfo.

    `types` are local names; name, hardware and location come from the scopes, percent-decoded, printable, at most 100
    characters: they are a stranger's words.
    """

    epr: str
    xaddrs: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    name: str = ""
    hardware: str = ""
    location: str = ""

    @property
    def host(self) -> str:
        """The address that answered; empty when the device gave no URL."""
        return urlsplit(self.xaddrs[0]).hostname or "" if self.xaddrs else ""

    @property
    def port(self) -> int:
        """The device service's port."""
        return urlsplit(self.xaddrs[0]).port or 80 if self.xaddrs else 80


@dataclass(frozen=True, slots=True)
class Probe:
    """A question ready to send, and the id its answers must relate to."""

    message_id: str
    content: bytes


def probes() -> tuple[Probe, ...]:
    """One Probe for each type, with fresh message ids."""
    return tuple(_probe(kind) for kind in TYPES)


def _probe(kind: tuple[str, str] | None) -> Probe:
    message_id = f"urn:uuid:{uuid.uuid4()}"
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"s": SOAP, "a": ADDRESSING, "d": DISCOVERY})
    header = etree.SubElement(envelope, f"{{{SOAP}}}Header")
    for name, text in (("Action", f"{DISCOVERY}/Probe"), ("MessageID", message_id), ("To", TO_ALL)):
        etree.SubElement(header, f"{{{ADDRESSING}}}{name}").text = text
    probe = etree.SubElement(etree.SubElement(envelope, f"{{{SOAP}}}Body"), f"{{{DISCOVERY}}}Probe")
    if kind is not None:
        types = etree.SubElement(probe, f"{{{DISCOVERY}}}Types", nsmap={"t": kind[0]})
        types.text = f"t:{kind[1]}"
    return Probe(message_id, etree.tostring(envelope, xml_declaration=True, encoding="UTF-8"))


def read_matches(datagram: bytes, sender: str, questions: set[str]) -> list[FoundDevice]:
    """The devices in a ProbeMatches that answers one of our `questions`; none for anything else, broken or hostile."""
    envelope = _envelope(datagram)
    if envelope is None or xml.text(envelope, "Header", "RelatesTo") not in questions:
        return []
    matches = list(xml.children(xml.find(envelope, "Body", "ProbeMatches"), "ProbeMatch"))[:MAX_MATCHES]
    return [device for match in matches if (device := _device(match, sender)) is not None and device.xaddrs]


def read_announcement(datagram: bytes, sender: str) -> tuple[Literal["hello", "bye"], FoundDevice] | None:
    """A Hello or Bye; None for anything else."""
    envelope = _envelope(datagram)
    kinds: tuple[tuple[Literal["hello", "bye"], str], ...] = (("hello", "Hello"), ("bye", "Bye"))
    for kind, name in kinds:
        body = xml.find(envelope, "Body", name)
        if body is not None and (device := _device(body, sender)) is not None:
            return kind, device
    return None


def _envelope(datagram: bytes) -> etree._Element | None:
    try:
        return xml.parse(datagram, max_bytes=MAX_ANSWER_BYTES)
    except xml.HostileXmlError:
        return None


def _device(match: etree._Element, sender: str) -> FoundDevice | None:
    epr = xml.text(match, "EndpointReference", "Address")
    if not epr or len(epr) > MAX_WORD or not epr.isprintable():
        return None
    scopes = tuple(word for word in xml.text(match, "Scopes").split()[:MAX_SCOPES] if len(word) <= MAX_WORD)
    types = tuple(word.rpartition(":")[2] for word in xml.text(match, "Types").split()[:8] if len(word) <= MAX_WORD)
    offered = xml.text(match, "XAddrs").split()[:MAX_XADDRS]
    return FoundDevice(
        epr=epr,
        xaddrs=bound_to(sender, offered),
        types=types,
        scopes=scopes,
        name=_of_scope(scopes, "name"),
        hardware=_of_scope(scopes, "hardware"),
        location=_of_scope(scopes, "location"),
    )


def bound_to(sender: str, offered: list[str]) -> tuple[str, ...]:
    """The offered URLs as they may be used: http(s), on the host that answered, without userinfo.

    URLs that already name that host are believed first; a foreign or stale one keeps its path and port only.
    """
    own: list[str] = []
    foreign: list[str] = []
    for url in offered:
        bare, _ = split_userinfo(url[:MAX_URL_CHARACTERS])
        try:
            parts = urlsplit(bare)
            host, port = parts.hostname, parts.port
        except ValueError:
            continue
        if parts.scheme.lower() not in ("http", "https") or not host or not bare.isprintable():
            continue
        where = f"[{sender}]" if ":" in sender else sender
        netloc = f"{where}:{port}" if port else where
        bound = urlunsplit((parts.scheme.lower(), netloc, parts.path or "/", parts.query, ""))
        (own if host == sender else foreign).append(bound)
    return tuple(dict.fromkeys(own or foreign))


def _of_scope(scopes: tuple[str, ...], kind: str) -> str:
    """The words of all scopes of a kind, such as `country/vn, city/hanoi` for location."""
    prefix = f"{_SCOPE}{kind}/"
    values = [unquote(scope[len(prefix) :]) for scope in scopes if scope.lower().startswith(prefix)]
    text = ", ".join(" ".join(value.split()) for value in values if value)
    return "".join(character for character in text if character.isprintable())[:MAX_TEXT]
