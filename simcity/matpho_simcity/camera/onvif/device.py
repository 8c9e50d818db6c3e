"""The device service (ver10/device): who the camera is, what it can do, what time it has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from functools import partial

from matpho_simcity.camera.onvif.operations import Call, Operation, Service
from matpho_simcity.camera.onvif.soap import invalid_argument
from matpho_simcity.camera.onvif.xml import Element, node
from matpho_simcity.camera.state import CameraState

ServiceList = Callable[[CameraState], list[Service]]
WSDL_URL = "https://www.onvif.org/profiles/specifications/"
INTERFACE = "eth0"
PREFIX_LENGTH = 8  # 127.0.0.0/8
CATEGORIES = frozenset({"All", "Analytics", "Device", "Events", "Imaging", "Media", "PTZ"})


async def get_system_date_and_time(call: Call) -> Element:
    """The camera's own clock."""
    now = call.camera.clock.now().astimezone(UTC)
    moment = node(
        "tt:UTCDateTime",
        node("tt:Time", node("tt:Hour", now.hour), node("tt:Minute", now.minute), node("tt:Second", now.second)),
        node("tt:Date", node("tt:Year", now.year), node("tt:Month", now.month), node("tt:Day", now.day)),
    )
    answer = node(
        "tds:SystemDateAndTime",
        node("tt:DateTimeType", "NTP"),
        node("tt:DaylightSavings", False),
        node("tt:TimeZone", node("tt:TZ", "ICT-7")),
        moment,
    )
    return node("tds:GetSystemDateAndTimeResponse", answer)


async def get_services(services: ServiceList, call: Call) -> Element:
    """All services, with their capabilities when asked for."""
    with_capabilities = call.text("IncludeCapability") in ("true", "1")
    entries = [
        node(
            "tds:Service",
            node("tds:Namespace", service.namespace),
            node("tds:XAddr", call.base + service.path),
            node("tds:Capabilities", service.capabilities(call.camera)) if with_capabilities else None,
            node("tds:Version", node("tt:Major", service.version[0]), node("tt:Minor", service.version[1])),
        )
        for service in services(call.camera)
    ]
    return node("tds:GetServicesResponse", *entries)


def _device_part(address: Element) -> Element:
    return node(
        "tt:Device",
        address,
        node("tt:Network", *(node(f"tt:{name}", False) for name in ("IPFilter", "ZeroConfiguration", "IPVersion6"))),
        node("tt:System", *_system_flags()),
        node("tt:IO", node("tt:InputConnectors", 1), node("tt:RelayOutputs", 0)),
        node("tt:Security", *_security_flags()),
    )


def _system_flags() -> list[Element]:
    discovery = [node("tt:DiscoveryResolve", True), node("tt:DiscoveryBye", True), node("tt:RemoteDiscovery", False)]
    backup = [node("tt:SystemBackup", False), node("tt:SystemLogging", False), node("tt:FirmwareUpgrade", False)]
    return [*discovery, *backup, node("tt:SupportedVersions", node("tt:Major", 20), node("tt:Minor", 12))]


def _security_flags() -> list[Element]:
    names = ("TLS1.1", "TLS1.2", "OnboardKeyGeneration", "AccessPolicyConfig")
    tokens = ("X.509Token", "SAMLToken", "KerberosToken", "RELToken")
    return [node(f"tt:{name}", False) for name in (*names, *tokens)]


def _events_part(address: Element) -> Element:
    return node(
        "tt:Events",
        address,
        node("tt:WSSubscriptionPolicySupport", False),
        node("tt:WSPullPointSupport", True),
        node("tt:WSPausableSubscriptionManagerInterfaceSupport", False),
    )


def _media_part(address: Element) -> Element:
    flags = node(
        "tt:StreamingCapabilities",
        node("tt:RTPMulticast", False),
        node("tt:RTP_TCP", True),
        node("tt:RTP_RTSP_TCP", True),
    )
    return node("tt:Media", address, flags)


CAPABILITY_PARTS: dict[str, tuple[str, Callable[[Element], Element]]] = {
    "Device": ("tds", _device_part),
    "Events": ("tev", _events_part),
    "Imaging": ("timg", lambda address: node("tt:Imaging", address)),
    "Media": ("trt", _media_part),
    "PTZ": ("tptz", lambda address: node("tt:PTZ", address)),
}


async def get_capabilities(services: ServiceList, call: Call) -> Element:
    """The older list of services, by category."""
    wanted = {part.text or "" for part in call.body if part.tag.endswith("}Category")} or {"All"}
    if not wanted <= CATEGORIES:
        raise invalid_argument("ter:NoSuchService", "There is no such category.")
    paths = {service.prefix: service.path for service in services(call.camera)}
    parts = [
        build(node("tt:XAddr", call.base + paths[prefix]))
        for category, (prefix, build) in CAPABILITY_PARTS.items()
        if wanted & {category, "All"} and prefix in paths
    ]
    return node("tds:GetCapabilitiesResponse", node("tds:Capabilities", *parts))


def capabilities(camera: CameraState) -> Element:
    """What the device service can do."""
    network = node("tds:Network", IPFilter=False, ZeroConfiguration=False, IPVersion6=False, DynDNS=False, NTP=0)
    security = node("tds:Security", HttpDigest=True, UsernameToken=True, MaxUsers=1, MaxUserNameLength=32)
    system = node("tds:System", DiscoveryResolve=True, DiscoveryBye=True, RemoteDiscovery=False, SystemBackup=False)
    return node("tds:Capabilities", network, security, system)


async def get_service_capabilities(call: Call) -> Element:
    """What the device service can do."""
    return node("tds:GetServiceCapabilitiesResponse", capabilities(call.camera))


async def get_device_information(call: Call) -> Element:
    """The name plate."""
    who = call.camera.identity
    return node(
        "tds:GetDeviceInformationResponse",
        node("tds:Manufacturer", who.manufacturer),
        node("tds:Model", who.model),
        node("tds:FirmwareVersion", who.firmware),
        node("tds:SerialNumber", who.serial),
        node("tds:HardwareId", f"{who.model}-{who.serial}"),
    )


async def get_scopes(call: Call) -> Element:
    """Scopes, all fixed."""
    scopes = (
        node("tds:Scopes", node("tt:ScopeDef", "Fixed"), node("tt:ScopeItem", scope)) for scope in call.camera.scopes()
    )
    return node("tds:GetScopesResponse", *scopes)


async def get_hostname(call: Call) -> Element:
    """The host name, from the serial number."""
    name = node("tt:Name", f"camera-{call.camera.identity.serial}".lower())
    return node("tds:GetHostnameResponse", node("tds:HostnameInformation", node("tt:FromDHCP", False), name))


async def get_network_interfaces(call: Call) -> Element:
    """The one interface, loopback in truth."""
    address = node("tt:Manual", node("tt:Address", call.camera.host), node("tt:PrefixLength", PREFIX_LENGTH))
    interface = node(
        "tds:NetworkInterfaces",
        node("tt:Enabled", True),
        node("tt:Info", node("tt:Name", INTERFACE), node("tt:HwAddress", call.camera.identity.mac_address)),
        node("tt:IPv4", node("tt:Enabled", True), node("tt:Config", address, node("tt:DHCP", False))),
        token=INTERFACE,
    )
    return node("tds:GetNetworkInterfacesResponse", interface)


async def get_network_protocols(call: Call) -> Element:
    """HTTP and RTSP with the ports they are really on."""
    ports = {"HTTP": call.camera.ports.http, "RTSP": call.camera.ports.rtsp}
    entries = (
        node("tds:NetworkProtocols", node("tt:Name", name), node("tt:Enabled", True), node("tt:Port", port))
        for name, port in ports.items()
    )
    return node("tds:GetNetworkProtocolsResponse", *entries)


async def get_network_default_gateway(call: Call) -> Element:
    """None on a loopback network."""
    return node("tds:GetNetworkDefaultGatewayResponse", node("tds:NetworkGateway"))


async def get_dns(call: Call) -> Element:
    """None on a loopback network."""
    return node("tds:GetDNSResponse", node("tds:DNSInformation", node("tt:FromDHCP", False)))


async def get_ntp(call: Call) -> Element:
    """No time server is configured."""
    return node("tds:GetNTPResponse", node("tds:NTPInformation", node("tt:FromDHCP", False)))


async def get_users(call: Call) -> Element:
    """The one account, without its password."""
    user = node("tds:User", node("tt:Username", call.camera.account.username), node("tt:UserLevel", "Administrator"))
    return node("tds:GetUsersResponse", user)


async def get_discovery_mode(call: Call) -> Element:
    """Discoverable."""
    return node("tds:GetDiscoveryModeResponse", node("tds:DiscoveryMode", "Discoverable"))


async def get_endpoint_reference(call: Call) -> Element:
    """The stable address that discovery tells too."""
    return node("tds:GetEndpointReferenceResponse", node("tds:GUID", call.camera.identity.endpoint))


async def get_wsdl_url(call: Call) -> Element:
    """Where the specifications are published."""
    return node("tds:GetWsdlUrlResponse", node("tds:WsdlUrl", WSDL_URL))


def device_service(services: ServiceList) -> Service:
    """The service; `services` lists all services of a camera, this one included."""
    operations = {
        "GetSystemDateAndTime": Operation(get_system_date_and_time, pre_auth=True),
        "GetServices": Operation(partial(get_services, services), pre_auth=True),
        "GetCapabilities": Operation(partial(get_capabilities, services), pre_auth=True),
        "GetServiceCapabilities": Operation(get_service_capabilities, pre_auth=True),
        "GetHostname": Operation(get_hostname, pre_auth=True),
        "GetEndpointReference": Operation(get_endpoint_reference, pre_auth=True),
        "GetWsdlUrl": Operation(get_wsdl_url, pre_auth=True),
        "GetDeviceInformation": Operation(get_device_information),
        "GetScopes": Operation(get_scopes),
        "GetNetworkInterfaces": Operation(get_network_interfaces),
        "GetNetworkProtocols": Operation(get_network_protocols),
        "GetNetworkDefaultGateway": Operation(get_network_default_gateway),
        "GetDNS": Operation(get_dns),
        "GetNTP": Operation(get_ntp),
        "GetUsers": Operation(get_users),
        "GetDiscoveryMode": Operation(get_discovery_mode),
    }
    return Service("tds", "/onvif/device_service", (20, 12), operations, capabilities)
