"""The words of the caption grammar: things, colours, places, hours and weather, northern, southern and English."""

from __future__ import annotations

from matpho_contracts.vocabulary import Colour, ObjectClass
from matpho_simcity.drawing.atmosphere import Light, Weather
from matpho_simcity.world.scene import Place

_O, _C = ObjectClass, Colour

NOUNS_VI: dict[ObjectClass, tuple[str, ...]] = {
    _O.PERSON: ("người", "người đi bộ", "người đi đường"),
    _O.BICYCLE: ("xe đạp", "xe đạp"),
    _O.MOTORCYCLE: ("xe máy", "xe máy", "xe gắn máy", "xe mô tô", "xe honda"),
    _O.CAR: ("ô tô", "xe ô tô", "xe hơi", "ô tô con", "xe con"),
    _O.VAN: ("xe van", "xe van", "xe 16 chỗ", "xe ô tô van"),
    _O.TRUCK: ("xe tải", "xe tải", "ô tô tải", "xe chở hàng"),
    _O.BUS: ("xe buýt", "xe buýt", "xe bus", "xe khách"),
    _O.AMBULANCE: ("xe cứu thương", "xe cấp cứu", "xe cứu thương", "xe cấp cứu 115"),
    _O.FIRE_ENGINE: ("xe cứu hỏa", "xe chữa cháy", "xe cứu hoả", "xe cứu hỏa"),
    _O.BAG: ("túi", "túi xách", "cái túi", "ba lô", "hành lý", "vali"),
    _O.RUBBISH: ("rác", "đống rác", "rác thải", "bao rác", "bịch rác", "túi rác"),
    _O.FIRE: ("lửa", "đám cháy", "ngọn lửa", "cháy"),
    _O.SMOKE: ("khói", "đám khói", "cột khói", "khói bốc lên"),
}
NOUNS_EN: dict[ObjectClass, tuple[str, ...]] = {
    _O.PERSON: ("person", "pedestrian", "person"),
    _O.BICYCLE: ("bicycle", "bike", "cyclist"),
    _O.MOTORCYCLE: ("motorcycle", "motorbike", "scooter"),
    _O.CAR: ("car", "car", "automobile"),
    _O.VAN: ("van", "van", "minibus"),
    _O.TRUCK: ("truck", "lorry", "truck"),
    _O.BUS: ("bus", "bus", "coach"),
    _O.AMBULANCE: ("ambulance",),
    _O.FIRE_ENGINE: ("fire engine", "fire truck"),
    _O.BAG: ("bag", "bag", "suitcase", "backpack", "piece of luggage"),
    _O.RUBBISH: ("rubbish", "pile of rubbish", "garbage", "trash", "heap of waste"),
    _O.FIRE: ("fire", "flames", "blaze"),
    _O.SMOKE: ("smoke", "cloud of smoke", "plume of smoke"),
}
PLURALS_EN: dict[ObjectClass, str] = {
    _O.PERSON: "people",
    _O.BICYCLE: "bicycles",
    _O.MOTORCYCLE: "motorcycles",
    _O.CAR: "cars",
    _O.VAN: "vans",
    _O.TRUCK: "trucks",
    _O.BUS: "buses",
    _O.AMBULANCE: "ambulances",
    _O.FIRE_ENGINE: "fire engines",
    _O.BAG: "bags",
    _O.RUBBISH: "piles of rubbish",
    _O.FIRE: "fires",
    _O.SMOKE: "clouds of smoke",
}
COLOURS_VI: dict[Colour, tuple[str, ...]] = {
    _C.RED: ("đỏ",),
    _C.ORANGE: ("cam", "da cam"),
    _C.YELLOW: ("vàng",),
    _C.GREEN: ("xanh lá", "xanh lá cây", "xanh lục"),
    _C.BLUE: ("xanh dương", "xanh da trời", "xanh nước biển", "xanh lam"),
    _C.PURPLE: ("tím",),
    _C.WHITE: ("trắng",),
    _C.GREY: ("xám", "ghi"),
    _C.BLACK: ("đen",),
    _C.BROWN: ("nâu",),
}
COLOURS_EN: dict[Colour, tuple[str, ...]] = {colour: (colour.value,) for colour in Colour} | {_C.GREY: ("grey", "gray")}
VAGUE_VI: dict[Colour, str] = {_C.GREEN: "xanh", _C.BLUE: "xanh"}
"""What people say when they do not say which green or blue."""

PLACES_VI: dict[Place, tuple[str, ...]] = {
    Place.STREET: ("trên phố", "trên đường phố", "ngoài phố", "trên đường"),
    Place.JUNCTION: ("ở ngã tư", "tại ngã tư", "tại nút giao có đèn đỏ", "ở chỗ đèn xanh đèn đỏ"),
    Place.PAVEMENT: ("bên vỉa hè", "cạnh công viên", "ở vỉa hè cạnh công viên", "bên lề đường"),
    Place.ALLEY: ("trong hẻm", "trong ngõ", "ở con hẻm", "trong ngõ nhỏ"),
    Place.RIVER_BANK: ("bên bờ sông", "ở bờ sông", "ven sông", "cạnh bờ sông"),
    Place.SCHOOL_GATE: ("trước cổng trường", "ở cổng trường học", "gần trường học", "trước cổng trường học"),
    Place.MARKET: ("ở chợ", "gần chợ", "trước khu chợ", "ngoài chợ"),
    Place.BRIDGE: ("trên cầu", "ở trên cầu", "trên cầu vượt", "trên đường vành đai"),
    Place.CONSTRUCTION: ("gần công trường", "cạnh công trình xây dựng", "ở khu công trường", "trước công trình"),
    Place.BUS_STOP: ("ở trạm xe buýt", "gần bến xe buýt", "tại điểm dừng xe buýt", "ở nhà chờ xe buýt"),
    Place.ROUNDABOUT: ("ở vòng xoay", "tại bùng binh", "ở vòng xuyến", "chỗ bùng binh"),
}
PLACES_EN: dict[Place, tuple[str, ...]] = {
    Place.STREET: ("on the street", "on a city street", "in the street"),
    Place.JUNCTION: ("at the junction", "at the crossroads", "at an intersection with traffic lights"),
    Place.PAVEMENT: ("by the pavement", "beside the park", "along the sidewalk by the park"),
    Place.ALLEY: ("in the alley", "in a narrow alley", "in the lane"),
    Place.RIVER_BANK: ("by the river", "on the river bank", "along the riverside"),
    Place.SCHOOL_GATE: ("at the school gate", "in front of the school", "near the school"),
    Place.MARKET: ("at the market", "near the market stalls", "by the market"),
    Place.BRIDGE: ("on the bridge", "on the ring road bridge", "crossing the bridge"),
    Place.CONSTRUCTION: ("by the construction site", "near the building site", "at the construction site"),
    Place.BUS_STOP: ("at the bus stop", "near the bus shelter", "by the bus stop"),
    Place.ROUNDABOUT: ("at the roundabout", "near the roundabout", "on the traffic circle"),
}
LIGHTS_VI: dict[Light, tuple[str, ...]] = {
    Light.DAY: ("ban ngày", "giữa ban ngày", "lúc trời sáng"),
    Light.DUSK: ("lúc chiều tối", "lúc chạng vạng", "lúc hoàng hôn"),
    Light.NIGHT: ("ban đêm", "buổi tối", "vào ban đêm", "lúc đêm khuya"),
}
LIGHTS_EN: dict[Light, tuple[str, ...]] = {
    Light.DAY: ("by day", "in daylight", "during the day"),
    Light.DUSK: ("at dusk", "at twilight", "in the evening light"),
    Light.NIGHT: ("at night", "in the dark", "at night time"),
}
WEATHERS_VI: dict[Weather, tuple[str, ...]] = {
    Weather.CLEAR: ("trời quang", "trời tạnh ráo", "trời khô ráo"),
    Weather.RAIN: ("trời mưa", "đang mưa", "dưới mưa", "mưa rơi"),
    Weather.HAZE: ("trời mù", "sương mù", "trời mờ sương"),
}
WEATHERS_EN: dict[Weather, tuple[str, ...]] = {
    Weather.CLEAR: ("in clear weather", "on a dry road"),
    Weather.RAIN: ("in the rain", "in rainy weather", "while it rains"),
    Weather.HAZE: ("in haze", "in fog", "in misty air"),
}
GROUND_VI: dict[str, tuple[str, ...]] = {
    "road": ("dưới lòng đường", "trên lòng đường", "giữa đường"),
    "pavement": ("trên vỉa hè", "trên lề đường", "ở vỉa hè"),
    "restricted": ("trong khu vực cấm", "bên trong công trường", "trong khu vực rào chắn"),
    "": (),
}
GROUND_EN: dict[str, tuple[str, ...]] = {
    "road": ("on the road", "on the carriageway", "in the roadway"),
    "pavement": ("on the pavement", "on the sidewalk"),
    "restricted": ("in the restricted area", "inside the building site", "inside the fenced area"),
    "": (),
}
