"""The ONVIF services of one camera: typed calls through the ONVIF library, raw ones where it has no description."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from lxml import etree

from matpho_contracts.errors import MatphoError
from matpho_edge.onvif import xml
from matpho_edge.onvif.transport import CALL_SECONDS, SOAP_TYPE, CameraTransport, quiet_import
from matpho_edge.streams.errors import CameraAbilityError, auth_error, protocol_error

MEDIA2 = "http://www.onvif.org/ver20/media/wsdl"
SOAP_NAMESPACE = "http://www.w3.org/2003/05/soap-envelope"
WS_ADDRESSING = "http://www.w3.org/2005/08/addressing"
NAMESPACES = {
    "device": "http://www.onvif.org/ver10/device/wsdl",
    "media": "http://www.onvif.org/ver10/media/wsdl",
    "media2": MEDIA2,
    "ptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "imaging": "http://www.onvif.org/ver20/imaging/wsdl",
    "events": "http://www.onvif.org/ver10/events/wsdl",
    "analytics": "http://www.onvif.org/ver20/analytics/wsdl",
    "deviceio": "http://www.onvif.org/ver10/deviceIO/wsdl",
    "recording": "http://www.onvif.org/ver10/recording/wsdl",
    "search": "http://www.onvif.org/ver10/search/wsdl",
    "replay": "http://www.onvif.org/ver10/replay/wsdl",
}
_BINDINGS = {"device": "devicemgmt"}
_UNSUPPORTED = {"ActionNotSupported", "NotSupported", "NoSuchService", "OptionalActionNotImplemented"}


class Services:
    """Where a camera's services live, and how to call them. Foreign errors stop here."""

    def __init__(self, transport: CameraTransport) -> None:
        self.transport = transport
        self.addresses: dict[str, str] = {"device": transport.host.device_service}
        self._proxies: dict[tuple[str, str], Any] = {}

    def has(self, service: str) -> bool:
        """Whether the camera offers a service (a key of NAMESPACES)."""
        return service in self.addresses

    def learn(self, namespace: str, address: str) -> None:
        """Remember a service that the camera named; unknown ones and broken addresses are passed over."""
        name = next((key for key, value in NAMESPACES.items() if value == namespace.strip()), None)
        if name is None or name == "device":
            return
        try:
            self.addresses[name] = self.transport.host.web(address)
        except MatphoError:
            return

    async def call(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        binding: str = "",
        address: str = "",
        seconds: float = CALL_SECONDS,
        authorized: bool = True,
    ) -> Any:
        """Call an operation described by the library's WSDL; the answer is its object tree.

        Raises CameraAbilityError when the camera has no such service or operation, CameraAuthError,
        CameraUnreachableError, CameraProtocolError.
        """
        url = address or self.addresses.get(service, "")
        if not url:
            raise CameraAbilityError(
                f"{self.transport.host.shown}: camera không có dịch vụ {service} (no such service)."
            )
        client, port = await self._proxy(binding or _BINDINGS.get(service, service))
        try:
            request = client.create_message(port, operation, **(arguments or {}))
            self._address_message(request, port, operation, url)
        except Exception as error:
            raise protocol_error(self.transport.host.shown, f"{operation}: {type(error).__name__}") from None
        content = await self.transport.soap(url, request, seconds=seconds, authorized=authorized)
        return self._read(client, port, operation, content)

    async def _proxy(self, binding: str) -> tuple[Any, Any]:
        """The library's client and service proxy of a binding; its WSDL is read once in the process, off the loop."""
        key = (binding, "")
        if key not in self._proxies:
            library = await asyncio.to_thread(quiet_import)
            from onvif.definition import SERVICES

            definition = SERVICES[binding]
            document = await library._cached_document(f"{library._WSDL_PATH}/{definition['wsdl']}")
            client = library.ZeepAsyncClient(wsdl=document, transport=None, settings=library.DEFAULT_SETTINGS)
            name = f"{{{definition['ns']}}}{definition['binding']}"
            self._proxies[key] = (client, client.create_service(name, "http://camera.invalid/"))
        client, port = self._proxies[key]
        return client, port

    def _address_message(self, request: Any, port: Any, operation: str, url: str) -> None:
        """Events need WS-Addressing headers; other services must not have them."""
        from onvif.wsa import WsAddressingIfMissingPlugin

        described = port._binding.get(operation)
        WsAddressingIfMissingPlugin(url).egress(request, {}, described, {"address": url})
        for header in request.iter(f"{{{WS_ADDRESSING}}}To"):
            header.text = url  # The library writes the example address of its WSDL here.

    def _read(self, client: Any, port: Any, operation: str, content: bytes) -> Any:
        envelope = xml.parse(content)
        if (fault := fault_of(envelope)) is not None:
            raise self._fault(operation, fault)
        response = _Answer(content)
        try:
            return port._binding.process_reply(client, port._binding.get(operation), response)
        except Exception as error:
            raise protocol_error(self.transport.host.shown, f"{operation}: {type(error).__name__}") from None

    async def raw(
        self, service: str, operation: str, body: etree._Element, *, seconds: float = CALL_SECONDS
    ) -> etree._Element:
        """Call an operation by hand-made XML; returns the response element. Raises as `call` does."""
        url = self.addresses.get(service, "")
        if not url:
            raise CameraAbilityError(
                f"{self.transport.host.shown}: camera không có dịch vụ {service} (no such service)."
            )
        envelope = etree.Element(f"{{{SOAP_NAMESPACE}}}Envelope", nsmap={"s": SOAP_NAMESPACE})
        etree.SubElement(envelope, f"{{{SOAP_NAMESPACE}}}Body").append(body)
        answer = xml.parse(await self.transport.soap(url, envelope, seconds=seconds))
        if (fault := fault_of(answer)) is not None:
            raise self._fault(operation, fault)
        response = xml.find(answer, "Body", f"{operation}Response")
        if response is None:
            raise protocol_error(self.transport.host.shown, f"no {operation}Response")
        return response

    def _fault(self, operation: str, codes: frozenset[str]) -> MatphoError:
        shown = self.transport.host.shown
        if codes & {"NotAuthorized", "FailedAuthentication"}:
            return auth_error(shown)
        if codes & _UNSUPPORTED:
            return CameraAbilityError(f"{shown}: camera không có chức năng {operation} (not supported by this camera).")
        told = ", ".join(sorted(code for code in codes if code.isalnum() and code not in ("Sender", "Receiver")))[:80]
        return protocol_error(shown, f"{operation}: {told or 'fault'}")


class _Answer:
    """What the library's reader wants to see of an HTTP answer; the type is set by us, never by the camera."""

    status_code = 200
    encoding = "utf-8"

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.headers = {"Content-Type": f"{SOAP_TYPE}; charset=utf-8"}


def fault_of(envelope: etree._Element) -> frozenset[str] | None:
    """The local names of a fault's codes, outer to inner; None when the envelope is no fault."""
    fault = xml.find(envelope, "Body", "Fault")
    if fault is None:
        return None
    values = [element.text or "" for element in fault.iter() if xml.local(element) in ("Value", "faultcode")]
    return frozenset(value.strip().rpartition(":")[2] for value in values)


def element(namespace: str, name: str, **children: str) -> etree._Element:
    """A flat request body: `name` with one text child for each keyword."""
    root = etree.Element(f"{{{namespace}}}{name}", nsmap={"n": namespace})
    for child, value in children.items():
        etree.SubElement(root, f"{{{namespace}}}{child}").text = value
    return root


def dig(value: Any, *path: str) -> Any:
    """Follow attributes of a library answer, None as soon as one is missing."""
    for name in path:
        value = getattr(value, name, None)
        if value is None:
            return None
    return value
