"""WS-Discovery (2005/04, as ONVIF uses it): the messages a responder reads and writes. Pure: bytes in, bytes out."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from lxml import etree

from matpho_simcity.camera.onvif.xml import (
    DISCOVERY_NAMESPACES,
    Element,
    HostileXmlError,
    find,
    find_text,
    node,
    parse,
    qualified,
    serialise,
)

GROUP = "239.255.255.250"
PORT = 3702
TO_ALL = "urn:schemas-xmlsoap-org:ws:2005:04:discovery"
ANONYMOUS = "http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous"
_D = DISCOVERY_NAMESPACES["d"]
MATCH_RFC2396 = _D + "/rfc2396"
MATCH_STRCMP = _D + "/strcmp0"
OUR_TYPES = frozenset(
    {(DISCOVERY_NAMESPACES["dn"], "NetworkVideoTransmitter"), (DISCOVERY_NAMESPACES["tds"], "Device")}
)
TYPES_TEXT = "dn:NetworkVideoTransmitter tds:Device"
MAX_MESSAGE_ID_CHARACTERS = 256


@dataclass(frozen=True, slots=True)
class Target:
    """What discovery tells about one camera."""

    endpoint: str
    address: str
    scopes: tuple[str, ...]
    metadata_version: int = 1


@dataclass(frozen=True, slots=True)
class Question:
    """A Probe or (with `endpoint`) a Resolve. Types are (namespace, name) pairs."""

    message_id: str
    endpoint: str = ""
    types: frozenset[tuple[str, str]] = frozenset()
    scopes: tuple[str, ...] = ()
    match_by: str = MATCH_RFC2396
    valid: bool = field(default=True)

    def matches(self, target: Target) -> bool:
        """Whether the target answers: every type is ours and every scope is met."""
        if self.endpoint:
            return self.endpoint == target.endpoint
        if not self.valid or not self.types <= OUR_TYPES:
            return False
        if self.match_by == MATCH_STRCMP:
            return set(self.scopes) <= set(target.scopes)
        return self.match_by == MATCH_RFC2396 and all(
            any(_scope_matches(wanted, scope) for scope in target.scopes) for wanted in self.scopes
        )


def _scope_matches(wanted: str, scope: str) -> bool:
    """RFC 2396 matching: same scheme and authority in any case, and the wanted path's segments lead the other's."""
    one, other = urlsplit(wanted), urlsplit(scope)
    if (one.scheme.lower(), one.netloc.lower()) != (other.scheme.lower(), other.netloc.lower()):
        return False
    first, second = ([unquote(part) for part in split.path.rstrip("/").split("/")] for split in (one, other))
    return "." not in first and ".." not in first and second[: len(first)] == first


def read_question(datagram: bytes) -> Question | None:
    """The Probe or Resolve in a datagram; None for anything else, malformed or hostile."""
    try:
        root = parse(datagram)
    except HostileXmlError:
        return None
    body = root.find(qualified("env:Body"))
    message_id = find_text(root.find(qualified("env:Header")), "MessageID")
    if body is None or len(body) != 1 or not 0 < len(message_id) <= MAX_MESSAGE_ID_CHARACTERS:
        return None
    name = etree.QName(body[0])
    if name.namespace != _D:
        return None
    if name.localname == "Resolve":
        endpoint = find_text(body[0], "EndpointReference/Address")
        return Question(message_id, endpoint=endpoint) if endpoint else None
    return _probe(message_id, body[0]) if name.localname == "Probe" else None


def _probe(message_id: str, probe: Element) -> Question:
    types, scopes = find(probe, "Types"), find(probe, "Scopes")
    names = _qualified_names(types) if types is not None else set()
    return Question(
        message_id,
        types=frozenset(name for name in names if name[0]),
        scopes=tuple((scopes.text or "").split()) if scopes is not None else (),
        match_by=(scopes.get("MatchBy") if scopes is not None else None) or MATCH_RFC2396,
        valid=all(name[0] for name in names),
    )


def _qualified_names(element: Element) -> set[tuple[str, str]]:
    """Prefixed names of a text as (namespace, name); the namespace is empty where the prefix is not declared."""
    names = set()
    for word in (element.text or "").split():
        prefix, colon, name = word.rpartition(":")
        names.add((element.nsmap.get(prefix if colon else None) or "", name))
    return names


class Writer:
    """Writes a responder's messages, numbered so that a client can order them (AppSequence)."""

    def __init__(self, instance: int) -> None:
        self._instance = instance
        self._number = 0

    def _message(self, action: str, to: str, content: Element, relates_to: str = "") -> bytes:
        self._number += 1
        names = DISCOVERY_NAMESPACES
        root = etree.Element(qualified("env:Envelope", names), nsmap=names)
        header = [
            node("wsa:MessageID", f"urn:uuid:{uuid.uuid4()}", namespaces=names),
            node("wsa:RelatesTo", relates_to, namespaces=names) if relates_to else None,
            node("wsa:To", to, namespaces=names),
            node("wsa:Action", f"{_D}/{action}", namespaces=names),
            node("d:AppSequence", namespaces=names, InstanceId=self._instance, MessageNumber=self._number),
        ]
        root.append(node("env:Header", *header, namespaces=names))
        root.append(node("env:Body", content, namespaces=names))
        return serialise(root)

    def answer(self, question: Question, target: Target) -> bytes:
        """ProbeMatches or ResolveMatches with one match."""
        kind = "Resolve" if question.endpoint else "Probe"
        match = node(f"d:{kind}Match", *_describe(target), namespaces=DISCOVERY_NAMESPACES)
        content = node(f"d:{kind}Matches", match, namespaces=DISCOVERY_NAMESPACES)
        return self._message(f"{kind}Matches", ANONYMOUS, content, question.message_id)

    def hello(self, target: Target) -> bytes:
        """The camera is here."""
        return self._message("Hello", TO_ALL, node("d:Hello", *_describe(target), namespaces=DISCOVERY_NAMESPACES))

    def bye(self, target: Target) -> bytes:
        """The camera leaves."""
        return self._message("Bye", TO_ALL, node("d:Bye", _endpoint(target), namespaces=DISCOVERY_NAMESPACES))


def _endpoint(target: Target) -> Element:
    address = node("wsa:Address", target.endpoint, namespaces=DISCOVERY_NAMESPACES)
    return node("wsa:EndpointReference", address, namespaces=DISCOVERY_NAMESPACES)


def _describe(target: Target) -> Sequence[Element]:
    def part(name: str, text: str | int) -> Element:
        return node(name, text, namespaces=DISCOVERY_NAMESPACES)

    return [
        _endpoint(target),
        part("d:Types", TYPES_TEXT),
        part("d:Scopes", " ".join(target.scopes)),
        part("d:XAddrs", target.address),
        part("d:MetadataVersion", target.metadata_version),
    ]
