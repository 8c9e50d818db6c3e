"""XML from strangers: small, shallow, without a DTD, or not at all."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

MAX_XML_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_ELEMENTS = 50_000


class HostileXmlError(ValueError):
    """The document is too large, too deep, has a DTD, or is no XML."""


def parse(content: bytes, *, mend: bool = False, max_bytes: int = MAX_XML_BYTES) -> etree._Element:
    """Parse within limits; `mend` accepts what real cameras break (undeclared prefixes, unquoted attributes).

    Raises HostileXmlError. Entities are never resolved and no file or network is touched.
    """
    if len(content) > max_bytes:
        raise HostileXmlError("too large")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True,
        remove_pis=True, recover=mend,
    )  # fmt: skip
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise HostileXmlError("no XML") from error
    if root is None:
        raise HostileXmlError("no XML")
    if root.getroottree().docinfo.internalDTD is not None:
        raise HostileXmlError("has a DTD")
    _judge_shape(root)
    return root


def _judge_shape(root: etree._Element) -> None:
    count, level = 0, [root]
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_ELEMENTS:
            raise HostileXmlError("too many elements")
        level = [child for element in level for child in element]
        if not level:
            return
    raise HostileXmlError("too deep")


def local(element: etree._Element) -> str:
    """An element's name without its namespace or prefix."""
    tag = element.tag
    return tag.rpartition("}")[2].rpartition(":")[2] if isinstance(tag, str) else ""


def children(element: etree._Element | None, name: str) -> Iterator[etree._Element]:
    """Direct children by local name."""
    for child in element if element is not None else ():
        if local(child) == name:
            yield child


def find(element: etree._Element | None, *names: str) -> etree._Element | None:
    """The first descendant along a path of local names."""
    for name in names:
        element = next(children(element, name), None)
        if element is None:
            return None
    return element


def text(element: etree._Element | None, *names: str) -> str:
    """The stripped text at a path of local names; empty where there is none."""
    found = find(element, *names) if names else element
    return (found.text or "").strip() if found is not None else ""
