"""The event service (ver10/events): pull points, with topic filters, renewal and a bounded number of subscribers."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from lxml import etree

from matpho_simcity.camera.events import (
    DEFAULT_SUBSCRIPTION,
    TOPICS,
    Notice,
    Subscription,
    TooManySubscriptionsError,
    Topic,
)
from matpho_simcity.camera.onvif.durations import moment, parse_duration, parse_life
from matpho_simcity.camera.onvif.operations import Call, Operation, Service
from matpho_simcity.camera.onvif.soap import SoapFaultError, invalid_argument
from matpho_simcity.camera.onvif.xml import NAMESPACES, Element, find, local, node, qualified
from matpho_simcity.camera.state import CameraState

PATH = "/onvif/event_service"
MAX_PULL_SECONDS = 60.0
MAX_PULL_MESSAGES = 100
MAX_TOPIC_ALTERNATIVES = 32
CONCRETE = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete"
CONCRETE_SET = "http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet"
ITEM_FILTER = "http://www.onvif.org/ver10/tev/messageContentFilter/ItemFilter"
TOPIC_NAMESPACE_FILE = "http://www.onvif.org/onvif/ver10/topics/topicns.xml"
SCHEMA_FILE = "http://www.onvif.org/onvif/ver10/schema/onvif.xsd"
_EVENTS_ACTION = "http://www.onvif.org/ver10/events/wsdl/"
_NAME = r"[A-Za-z_][\w.-]*"
_TOPIC = re.compile(rf"(?:({_NAME}):)?{_NAME}(?:/(?:{_NAME}:)?{_NAME})*(//\.)?")


def _notification_fault(name: str, reason: str) -> SoapFaultError:
    return SoapFaultError("Sender", ("ter:InvalidArgVal",), reason, detail=f"wsnt:{name}")


def read_filter(body: Element) -> Callable[[Topic], bool]:
    """The predicate of a Filter with topic expressions; everything is accepted where there is none."""
    given = find(body, "Filter")
    expressions = [part for part in given if local(part) == "TopicExpression"] if given is not None else []
    if given is not None and len(expressions) != len(given):
        raise _notification_fault("InvalidFilterFault", "Only topic expressions are understood.")
    wanted = [pattern for expression in expressions for pattern in _patterns(expression)]
    if not wanted:
        return lambda topic: True
    return lambda topic: any(
        topic.path == path or (subtree and topic.path.startswith(path + "/")) for path, subtree in wanted
    )


def _patterns(expression: Element) -> list[tuple[str, bool]]:
    """(topic path, whether its subtree is meant too) of each alternative, prefixes resolved to our own."""
    if expression.get("Dialect", CONCRETE) not in (CONCRETE, CONCRETE_SET):
        raise _notification_fault("TopicExpressionDialectUnknownFault", "The topic dialect is not known.")
    alternatives = (expression.text or "").strip().split("|")
    patterns = []
    for alternative in alternatives[:MAX_TOPIC_ALTERNATIVES]:
        match = _TOPIC.fullmatch(alternative.strip())
        if match is None or expression.nsmap.get(match[1]) != NAMESPACES["tns1"]:
            raise _notification_fault("InvalidTopicExpressionFault", "The topic expression is not valid.")
        path = alternative.strip().removesuffix("//.")
        patterns.append(("tns1:" + path.partition(":")[2], bool(match[2])))
    return patterns


def _life(call: Call, name: str) -> timedelta:
    text = call.text(name)
    if not text:
        return DEFAULT_SUBSCRIPTION
    life = parse_life(text, call.camera.clock.now())
    if life is None or life <= timedelta():
        raise _notification_fault("UnacceptableInitialTerminationTimeFault", "The termination time cannot be met.")
    return life


async def create_pull_point_subscription(call: Call) -> Element:
    """A new pull point with its own unguessable address."""
    camera = call.camera
    try:
        subscription = camera.subscriptions.create(_life(call, "InitialTerminationTime"), read_filter(call.body))
    except TooManySubscriptionsError as error:
        raise SoapFaultError(
            "Receiver",
            ("ter:Action", "ter:MaxPullPoints"),
            "All pull points are in use.",
            detail="wsnt:SubscribeCreationFailedFault",
        ) from error
    address = node("wsa:Address", f"{call.base}{PATH}/subscription/{subscription.id}")
    return node(
        "tev:CreatePullPointSubscriptionResponse",
        node("tev:SubscriptionReference", address),
        node("wsnt:CurrentTime", moment(camera.clock.now())),
        node("wsnt:TerminationTime", moment(subscription.expires)),
    )


def _subscription(call: Call) -> Subscription:
    found = call.camera.subscriptions.find(call.resource)
    if found is None:
        raise SoapFaultError(
            "Sender",
            ("ter:InvalidArgVal",),
            "There is no such subscription.",
            detail="wsrf-rw:ResourceUnknownFault",
        )
    return found


def describe_notice(notice: Notice) -> Element:
    """A NotificationMessage."""
    topic = notice.topic
    source = node("tt:SimpleItem", Name=topic.source_name, Value=topic.source_value)
    data = node("tt:SimpleItem", Name=topic.data_name, Value=notice.value)
    message = node(
        "tt:Message",
        node("tt:Source", source),
        node("tt:Data", data),
        UtcTime=moment(notice.at),
        PropertyOperation=notice.operation,
    )
    name = etree.Element(qualified("wsnt:Topic"), nsmap={"wsnt": NAMESPACES["wsnt"], "tns1": NAMESPACES["tns1"]})
    name.set("Dialect", CONCRETE_SET)
    name.text = topic.path
    return node("wsnt:NotificationMessage", name, node("wsnt:Message", message))


async def pull_messages(call: Call) -> Element:
    """Messages that wait, or that come within the timeout; none is a good answer too."""
    subscription = _subscription(call)
    seconds = parse_duration(call.text("Timeout"))
    limit = call.number("MessageLimit")
    if seconds is None or limit is None or limit < 1:
        raise invalid_argument("ter:InvalidArgVal", "Timeout and MessageLimit are needed.")
    notices = await subscription.pull(min(int(limit), MAX_PULL_MESSAGES), min(seconds, MAX_PULL_SECONDS))
    return node(
        "tev:PullMessagesResponse",
        node("tev:CurrentTime", moment(call.camera.clock.now())),
        node("tev:TerminationTime", moment(subscription.expires)),
        *(describe_notice(notice) for notice in notices),
    )


async def renew(call: Call) -> Element:
    """Let the subscription live on."""
    subscription = _subscription(call)
    call.camera.subscriptions.renew(subscription, _life(call, "TerminationTime"))
    return node(
        "wsnt:RenewResponse",
        node("wsnt:TerminationTime", moment(subscription.expires)),
        node("wsnt:CurrentTime", moment(call.camera.clock.now())),
    )


async def unsubscribe(call: Call) -> Element:
    """End the subscription."""
    call.camera.subscriptions.remove(_subscription(call))
    return node("wsnt:UnsubscribeResponse")


async def set_synchronization_point(call: Call) -> Element:
    """Tell the state of all properties again."""
    call.camera.subscriptions.synchronise(_subscription(call))
    return node("tev:SetSynchronizationPointResponse")


def _topic_tree() -> Element:
    """The topics as WS-Topics wants them: nested elements, the leaf with its message's description."""
    root = node("wstop:TopicSet")
    for topic in TOPICS:
        place = root
        for step in topic.path.removeprefix("tns1:").split("/"):
            # Only the root topic bears the namespace (ONVIF Core, section on the topic namespace).
            name = qualified(f"tns1:{step}") if place is root else step
            found = place.find(name)
            place = etree.SubElement(place, name) if found is None else found
        place.set(qualified("wstop:topic"), "true")
        place.append(_message_description(topic))
    return root


def _message_description(topic: Topic) -> Element:
    source = node("tt:SimpleItemDescription", Name=topic.source_name, Type=topic.source_type)
    data = node("tt:SimpleItemDescription", Name=topic.data_name, Type=topic.data_type)
    return node("tt:MessageDescription", node("tt:Source", source), node("tt:Data", data), IsProperty=True)


async def get_event_properties(call: Call) -> Element:
    """All topics and the dialects that filters may use."""
    return node(
        "tev:GetEventPropertiesResponse",
        node("tev:TopicNamespaceLocation", TOPIC_NAMESPACE_FILE),
        node("wsnt:FixedTopicSet", True),
        _topic_tree(),
        node("wsnt:TopicExpressionDialect", CONCRETE),
        node("wsnt:TopicExpressionDialect", CONCRETE_SET),
        # The schema demands one; a filter on contents is still answered with a fault.
        node("tev:MessageContentFilterDialect", ITEM_FILTER),
        node("tev:MessageContentSchemaLocation", SCHEMA_FILE),
    )


def capabilities(camera: CameraState) -> Element:
    """What the event service can do."""
    return node(
        "tev:Capabilities",
        WSSubscriptionPolicySupport=False,
        WSPausableSubscriptionManagerInterfaceSupport=False,
        MaxNotificationProducers=0,
        MaxPullPoints=camera.settings.limits.event_subscriptions,
        PersistentNotificationStorage=False,
    )


async def get_service_capabilities(call: Call) -> Element:
    """What the event service can do."""
    return node("tev:GetServiceCapabilitiesResponse", capabilities(call.camera))


_PORT = _EVENTS_ACTION + "EventPortType/"
_PULL = _EVENTS_ACTION + "PullPointSubscription/"
_MANAGER = "http://docs.oasis-open.org/wsn/bw-2/SubscriptionManager/"
OPERATIONS = {
    "GetServiceCapabilities": Operation(get_service_capabilities, True, _PORT + "GetServiceCapabilitiesResponse"),
    "GetEventProperties": Operation(get_event_properties, action=_PORT + "GetEventPropertiesResponse"),
    "CreatePullPointSubscription": Operation(
        create_pull_point_subscription, action=_PORT + "CreatePullPointSubscriptionResponse"
    ),
    "PullMessages": Operation(pull_messages, action=_PULL + "PullMessagesResponse"),
    "SetSynchronizationPoint": Operation(set_synchronization_point, action=_PULL + "SetSynchronizationPointResponse"),
    "Renew": Operation(renew, action=_MANAGER + "RenewResponse"),
    "Unsubscribe": Operation(unsubscribe, action=_MANAGER + "UnsubscribeResponse"),
}
SERVICE = Service("tev", PATH, (2, 60), OPERATIONS, capabilities, accepts=("wsnt",))
