"""XML at the camera's border: hostile documents refused before a tree is built, answers with declared prefixes."""

from __future__ import annotations

from xml.parsers import expat

from lxml import etree

MAX_DOCUMENT_BYTES = 64 * 1024
MAX_DEPTH = 40
MAX_ELEMENTS = 2000
MAX_ATTRIBUTES = 64

NAMESPACES = {
    "env": "http://www.w3.org/2003/05/soap-envelope",
    "wsa": "http://www.w3.org/2005/08/addressing",
    "wsse": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd",
    "wsu": "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd",
    "ter": "http://www.onvif.org/ver10/error",
    "tt": "http://www.onvif.org/ver10/schema",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tr2": "http://www.onvif.org/ver20/media/wsdl",
    "tptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "timg": "http://www.onvif.org/ver20/imaging/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "tns1": "http://www.onvif.org/ver10/topics",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "wstop": "http://docs.oasis-open.org/wsn/t-1",
    "wsrf-r": "http://docs.oasis-open.org/wsrf/r-2",
    "wsrf-rw": "http://docs.oasis-open.org/wsrf/rw-2",
    "wsrf-bf": "http://docs.oasis-open.org/wsrf/bf-2",
    "xs": "http://www.w3.org/2001/XMLSchema",
}
# WS-Discovery 2005 uses the older addressing; its messages are built with these.
DISCOVERY_NAMESPACES = {
    "env": NAMESPACES["env"],
    "wsa": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "d": "http://schemas.xmlsoap.org/ws/2005/04/discovery",
    "dn": "http://www.onvif.org/ver10/network/wsdl",
    "tds": NAMESPACES["tds"],
}

Element = etree._Element
Content = Element | str | int | float | bool | None


class HostileXmlError(Exception):
    """The document is malformed, too large, too deep, or brings a DTD."""


def parse(document: bytes) -> Element:
    """Parse a document from outside; raises `HostileXmlError`. No DTD, no entities, bounded size, depth and count."""
    if len(document) > MAX_DOCUMENT_BYTES:
        raise HostileXmlError("too large")
    _inspect(document)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(document, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise HostileXmlError("malformed") from error


def _inspect(document: bytes) -> None:
    """One pass without building anything, which stops at the first thing that is not allowed."""
    depth = count = 0

    def start(_name: str, attributes: dict[str, str]) -> None:
        nonlocal depth, count
        depth, count = depth + 1, count + 1
        if depth > MAX_DEPTH or count > MAX_ELEMENTS or len(attributes) > MAX_ATTRIBUTES:
            raise HostileXmlError("too deep or too many elements")

    def end(_name: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: object) -> None:
        raise HostileXmlError("a DTD is not allowed")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise HostileXmlError("malformed") from error


def qualified(name: str, namespaces: dict[str, str] = NAMESPACES) -> str:
    """``tt:Name`` as lxml writes it, ``{namespace}Name``."""
    prefix, _, local = name.partition(":")
    return f"{{{namespaces[prefix]}}}{local}"


def node(name: str, *content: Content, namespaces: dict[str, str] = NAMESPACES, **attributes: object) -> Element:
    """An element ``prefix:Name`` with children or text; None leaves out, booleans and numbers in their XML forms."""
    element = etree.Element(
        qualified(name, namespaces), nsmap={name.partition(":")[0]: namespaces[name.partition(":")[0]]}
    )
    for key, value in attributes.items():
        if value is not None:
            element.set(key, text_of(value))
    for part in content:
        if isinstance(part, etree._Element):
            element.append(part)
        elif part is not None:
            element.text = (element.text or "") + text_of(part)
    return element


def text_of(value: object) -> str:
    """A value in its XML Schema form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def local(element: Element) -> str:
    """The name without its namespace."""
    return etree.QName(element).localname


def find(element: Element | None, path: str) -> Element | None:
    """The first descendant along local names, ``A/B/C``."""
    for step in path.split("/"):
        if element is None:
            return None
        element = next((child for child in element if local(child) == step), None)
    return element


def find_text(element: Element | None, path: str) -> str:
    """The stripped text of a descendant, empty when there is none."""
    found = find(element, path)
    return (found.text or "").strip() if found is not None else ""


def serialise(root: Element) -> bytes:
    """The document as UTF-8 with a declaration."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
