"""The closed vocabularies of the event contract, and their names in Vietnamese and English."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class ObjectClass(StrEnum):
    """What a detector may say it saw."""

    PERSON = "person"
    BICYCLE = "bicycle"
    MOTORCYCLE = "motorcycle"
    CAR = "car"
    VAN = "van"
    TRUCK = "truck"
    BUS = "bus"
    AMBULANCE = "ambulance"
    FIRE_ENGINE = "fire_engine"
    BAG = "bag"
    RUBBISH = "rubbish"
    FIRE = "fire"
    SMOKE = "smoke"


VEHICLES: frozenset[ObjectClass] = frozenset(
    {
        ObjectClass.BICYCLE,
        ObjectClass.MOTORCYCLE,
        ObjectClass.CAR,
        ObjectClass.VAN,
        ObjectClass.TRUCK,
        ObjectClass.BUS,
        ObjectClass.AMBULANCE,
        ObjectClass.FIRE_ENGINE,
    }
)
"""Classes that move on the carriageway."""


class Colour(StrEnum):
    """The main colour of an object as a person would name it."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    GREEN = "green"
    BLUE = "blue"
    PURPLE = "purple"
    WHITE = "white"
    GREY = "grey"
    BLACK = "black"
    BROWN = "brown"


class Severity(StrEnum):
    """How much an event matters, in rising order."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for `info` up to 4 for `critical`, for comparisons and indexes."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


class EventGroup(StrEnum):
    """The six groups of problems that Hanoi asked industry to solve."""

    TRAFFIC = "traffic"
    SECURITY = "security"
    FIRE_RESCUE = "fire_rescue"
    ENVIRONMENT = "environment"
    PUBLIC_PLACES = "public_places"
    OPERATIONS = "operations"


class EventType(StrEnum):
    """Everything that can happen in front of a camera, or to it (the table of the event contract)."""

    # traffic
    CONGESTION = "congestion"
    COLLISION = "collision"
    STOPPED_VEHICLE = "stopped_vehicle"
    ILLEGAL_PARKING = "illegal_parking"
    WRONG_WAY = "wrong_way"
    LANE_ENCROACHMENT = "lane_encroachment"
    RED_LIGHT = "red_light"
    NO_HELMET = "no_helmet"
    PEDESTRIAN_ON_ROAD = "pedestrian_on_road"
    # security and order
    INTRUSION = "intrusion"
    LOITERING = "loitering"
    CROWD = "crowd"
    FIGHT = "fight"
    ABANDONED_OBJECT = "abandoned_object"
    PERIMETER_LINE_CROSSED = "perimeter_line_crossed"
    # fire and rescue
    FIRE = "fire"
    SMOKE = "smoke"
    FLOODING = "flooding"
    PERSON_FALLEN = "person_fallen"
    # environment and infrastructure
    ILLEGAL_DUMPING = "illegal_dumping"
    SIDEWALK_ENCROACHMENT = "sidewalk_encroachment"
    MATERIAL_SPILL = "material_spill"
    CONSTRUCTION_VIOLATION = "construction_violation"
    # schools, hospitals, public places
    RESTRICTED_AREA_ENTRY = "restricted_area_entry"
    GATE_CROWDING = "gate_crowding"
    CHILD_ON_ROAD = "child_on_road"
    # operations
    CAMERA_OFFLINE = "camera_offline"
    CAMERA_COVERED = "camera_covered"
    CAMERA_MOVED = "camera_moved"
    IMAGE_DEGRADED = "image_degraded"
    EDGE_OFFLINE = "edge_offline"
    STORAGE_LOW = "storage_low"
    CLOCK_DRIFT = "clock_drift"
    # what an index run or a quiet street yields: somebody or something was there, no rule fired
    OBJECT_SEEN = "object_seen"


class Name(NamedTuple):
    """One term in both languages."""

    vi: str
    en: str


OBJECT_NAMES: dict[ObjectClass, Name] = {
    ObjectClass.PERSON: Name("người", "person"),
    ObjectClass.BICYCLE: Name("xe đạp", "bicycle"),
    ObjectClass.MOTORCYCLE: Name("xe máy", "motorcycle"),
    ObjectClass.CAR: Name("ô tô", "car"),
    ObjectClass.VAN: Name("xe van", "van"),
    ObjectClass.TRUCK: Name("xe tải", "truck"),
    ObjectClass.BUS: Name("xe buýt", "bus"),
    ObjectClass.AMBULANCE: Name("xe cứu thương", "ambulance"),
    ObjectClass.FIRE_ENGINE: Name("xe cứu hỏa", "fire engine"),
    ObjectClass.BAG: Name("túi", "bag"),
    ObjectClass.RUBBISH: Name("rác", "rubbish"),
    ObjectClass.FIRE: Name("lửa", "fire"),
    ObjectClass.SMOKE: Name("khói", "smoke"),
}

COLOUR_NAMES: dict[Colour, Name] = {
    Colour.RED: Name("đỏ", "red"),
    Colour.ORANGE: Name("cam", "orange"),
    Colour.YELLOW: Name("vàng", "yellow"),
    Colour.GREEN: Name("xanh lá", "green"),
    Colour.BLUE: Name("xanh dương", "blue"),
    Colour.PURPLE: Name("tím", "purple"),
    Colour.WHITE: Name("trắng", "white"),
    Colour.GREY: Name("xám", "grey"),
    Colour.BLACK: Name("đen", "black"),
    Colour.BROWN: Name("nâu", "brown"),
}

_G = EventGroup
EVENT_TYPES: dict[EventType, tuple[EventGroup, Severity, Name]] = {
    EventType.CONGESTION: (_G.TRAFFIC, Severity.MEDIUM, Name("ùn tắc", "congestion")),
    EventType.COLLISION: (_G.TRAFFIC, Severity.HIGH, Name("va chạm giao thông", "collision")),
    EventType.STOPPED_VEHICLE: (_G.TRAFFIC, Severity.MEDIUM, Name("xe dừng giữa đường", "stopped vehicle")),
    EventType.ILLEGAL_PARKING: (_G.TRAFFIC, Severity.LOW, Name("đỗ xe sai quy định", "illegal parking")),
    EventType.WRONG_WAY: (_G.TRAFFIC, Severity.HIGH, Name("đi ngược chiều", "wrong-way driving")),
    EventType.LANE_ENCROACHMENT: (_G.TRAFFIC, Severity.LOW, Name("lấn làn", "lane encroachment")),
    EventType.RED_LIGHT: (_G.TRAFFIC, Severity.MEDIUM, Name("vượt đèn đỏ", "red-light running")),
    EventType.NO_HELMET: (_G.TRAFFIC, Severity.LOW, Name("không đội mũ bảo hiểm", "no helmet")),
    EventType.PEDESTRIAN_ON_ROAD: (
        _G.TRAFFIC,
        Severity.LOW,
        Name("người đi bộ dưới lòng đường", "pedestrian on the road"),
    ),
    EventType.INTRUSION: (_G.SECURITY, Severity.HIGH, Name("xâm nhập", "intrusion")),
    EventType.LOITERING: (_G.SECURITY, Severity.LOW, Name("lảng vảng", "loitering")),
    EventType.CROWD: (_G.SECURITY, Severity.MEDIUM, Name("tụ tập đông người", "crowd")),
    EventType.FIGHT: (_G.SECURITY, Severity.HIGH, Name("đánh nhau", "fight")),
    EventType.ABANDONED_OBJECT: (_G.SECURITY, Severity.MEDIUM, Name("đồ vật bỏ lại", "abandoned object")),
    EventType.PERIMETER_LINE_CROSSED: (_G.SECURITY, Severity.MEDIUM, Name("vượt vạch rào", "perimeter line crossed")),
    EventType.FIRE: (_G.FIRE_RESCUE, Severity.CRITICAL, Name("cháy", "fire")),
    EventType.SMOKE: (_G.FIRE_RESCUE, Severity.HIGH, Name("khói", "smoke")),
    EventType.FLOODING: (_G.FIRE_RESCUE, Severity.HIGH, Name("ngập nước", "flooding")),
    EventType.PERSON_FALLEN: (_G.FIRE_RESCUE, Severity.HIGH, Name("người ngã", "person fallen")),
    EventType.ILLEGAL_DUMPING: (_G.ENVIRONMENT, Severity.MEDIUM, Name("đổ rác trộm", "illegal dumping")),
    EventType.SIDEWALK_ENCROACHMENT: (_G.ENVIRONMENT, Severity.LOW, Name("lấn chiếm vỉa hè", "sidewalk encroachment")),
    EventType.MATERIAL_SPILL: (_G.ENVIRONMENT, Severity.MEDIUM, Name("rơi vãi vật liệu", "material spill")),
    EventType.CONSTRUCTION_VIOLATION: (
        _G.ENVIRONMENT,
        Severity.MEDIUM,
        Name("vi phạm xây dựng", "construction violation"),
    ),
    EventType.RESTRICTED_AREA_ENTRY: (
        _G.PUBLIC_PLACES,
        Severity.HIGH,
        Name("vào khu vực hạn chế", "restricted area entry"),
    ),
    EventType.GATE_CROWDING: (_G.PUBLIC_PLACES, Severity.MEDIUM, Name("đông người ở cổng", "gate crowding")),
    EventType.CHILD_ON_ROAD: (_G.PUBLIC_PLACES, Severity.HIGH, Name("trẻ em dưới lòng đường", "child on the road")),
    EventType.CAMERA_OFFLINE: (_G.OPERATIONS, Severity.MEDIUM, Name("camera mất tín hiệu", "camera offline")),
    EventType.CAMERA_COVERED: (_G.OPERATIONS, Severity.HIGH, Name("camera bị che", "camera covered")),
    EventType.CAMERA_MOVED: (_G.OPERATIONS, Severity.MEDIUM, Name("camera bị xoay lệch", "camera moved")),
    EventType.IMAGE_DEGRADED: (_G.OPERATIONS, Severity.LOW, Name("hình ảnh suy giảm", "image degraded")),
    EventType.EDGE_OFFLINE: (_G.OPERATIONS, Severity.HIGH, Name("hộp biên mất kết nối", "edge box offline")),
    EventType.STORAGE_LOW: (_G.OPERATIONS, Severity.MEDIUM, Name("sắp hết bộ nhớ lưu trữ", "storage low")),
    EventType.CLOCK_DRIFT: (_G.OPERATIONS, Severity.LOW, Name("lệch giờ", "clock drift")),
    EventType.OBJECT_SEEN: (_G.OPERATIONS, Severity.INFO, Name("ghi nhận đối tượng", "object seen")),
}
"""Group, default severity and name of every event type."""
