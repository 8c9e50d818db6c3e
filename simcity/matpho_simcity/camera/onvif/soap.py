"""SOAP 1.2 envelopes in and out, and the faults ONVIF prescribes."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from matpho_simcity.camera.onvif.xml import (
    NAMESPACES,
    Element,
    HostileXmlError,
    find,
    find_text,
    node,
    parse,
    qualified,
    serialise,
)
from matpho_simcity.camera.wsse import UsernameToken

CONTENT_TYPE = "application/soap+xml; charset=utf-8"
PASSWORD_DIGEST = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#PasswordDigest"  # noqa: S105
UNDERSTOOD_HEADERS = frozenset({NAMESPACES["wsa"], NAMESPACES["wsse"]})
FAULT_ACTION = "http://www.w3.org/2005/08/addressing/soap/fault"


class SoapFaultError(Exception):
    """A fault: `code` is Sender, Receiver, VersionMismatch or MustUnderstand; sub-codes are prefixed names.

    `detail` is a prefixed element name for the faults of WS-Notification.
    """

    def __init__(self, code: str, subcodes: tuple[str, ...], reason: str, *, detail: str = "", status: int = 0) -> None:
        super().__init__(reason)
        self.code = code
        self.subcodes = subcodes
        self.reason = reason
        self.detail = detail
        # SOAP 1.2 part 2, section 7.5.2.2: the sender's mistake is 400, everything else 500.
        self.status = status or (400 if code == "Sender" else 500)


def invalid_argument(subcode: str, reason: str) -> SoapFaultError:
    """A sender's fault ``ter:InvalidArgVal`` with a second sub-code."""
    return SoapFaultError("Sender", ("ter:InvalidArgVal", subcode), reason)


def not_supported(what: str) -> SoapFaultError:
    """The device does not offer this."""
    return SoapFaultError("Receiver", ("ter:ActionNotSupported",), f"{what} is not supported by this device.")


@dataclass(frozen=True, slots=True)
class SoapRequest:
    """One request: the operation's element, its addressing headers and the user name token, if any."""

    operation: Element
    message_id: str
    token: UsernameToken | None


def read_request(document: bytes) -> SoapRequest:
    """Read an envelope; raises `SoapFaultError`."""
    try:
        root = parse(document)
    except HostileXmlError as error:
        raise SoapFaultError(
            "Sender", ("ter:WellFormed",), "The request is not well-formed XML within limits."
        ) from error
    name = etree.QName(root)
    if name.localname != "Envelope":
        raise SoapFaultError("Sender", ("ter:WellFormed",), "The request is no SOAP envelope.")
    if name.namespace != NAMESPACES["env"]:
        raise SoapFaultError("VersionMismatch", (), "Only SOAP 1.2 is understood.")
    header, body = root.find(qualified("env:Header")), root.find(qualified("env:Body"))
    if body is None or len(body) != 1:
        raise SoapFaultError("Sender", ("ter:WellFormed",), "The body must hold one operation.")
    _check_understood(header)
    return SoapRequest(body[0], find_text(header, "MessageID"), _token(header))


def _check_understood(header: Element | None) -> None:
    for entry in header if header is not None else ():
        must = entry.get(qualified("env:mustUnderstand"), "false") in ("1", "true")
        if must and etree.QName(entry).namespace not in UNDERSTOOD_HEADERS:
            raise SoapFaultError("MustUnderstand", (), "A header that must be understood is not.")


def _token(header: Element | None) -> UsernameToken | None:
    found = find(header, "Security/UsernameToken")
    if found is None:
        return None
    password = find(found, "Password")
    return UsernameToken(
        username=find_text(found, "Username"),
        password=find_text(found, "Password"),
        nonce=find_text(found, "Nonce"),
        created=find_text(found, "Created"),
        is_digest=password is not None and password.get("Type") == PASSWORD_DIGEST,
    )


def envelope(content: Element, *, action: str = "", relates_to: str = "") -> bytes:
    """An answer. All prefixes are declared at the root, so that names inside texts resolve."""
    root = etree.Element(qualified("env:Envelope"), nsmap=NAMESPACES)
    if action and relates_to:
        root.append(node("env:Header", node("wsa:Action", action), node("wsa:RelatesTo", relates_to)))
    root.append(node("env:Body", content))
    return serialise(root)


def fault(problem: SoapFaultError, relates_to: str = "") -> bytes:
    """The answer that tells a fault."""
    inner: Element | None = None
    for subcode in reversed(problem.subcodes):
        inner = node("env:Subcode", node("env:Value", subcode), inner)
    reason = node("env:Text", problem.reason)
    reason.set("{http://www.w3.org/XML/1998/namespace}lang", "en")
    detail = node("env:Detail", node(problem.detail)) if problem.detail else None
    content = node(
        "env:Fault",
        node("env:Code", node("env:Value", f"env:{problem.code}"), inner),
        node("env:Reason", reason),
        detail,
    )
    return envelope(content, action=FAULT_ACTION, relates_to=relates_to)
