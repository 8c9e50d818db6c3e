"""What a city has besides cameras, for the demo: units that can be sent, the grant for identity checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

UNIT_CODE = "HN-DEMO-01"
PURPOSES = (
    "giải quyết tai nạn giao thông",
    "xử lý vi phạm hành chính",
    "điều tra hình sự",
    "xác minh người mất tích",
)
FIELDS = ("họ tên", "ngày sinh", "địa chỉ", "chủ xe")
GRANTED = timedelta(days=365)
_LOCAL_UNITS = (("CA", "Công an", "police"), ("VS", "Tổ vệ sinh môi trường", "environment"))
_CITY_UNITS = (
    ("HN-CSGT-01", "Đội Cảnh sát giao thông số 1", "traffic", ("CSGT", "cảnh sát giao thông", "traffic police")),
    ("HN-PCCC-01", "Đội Chữa cháy và cứu nạn số 1", "fire", ("PCCC", "cứu hỏa", "chữa cháy", "fire brigade")),
    ("HN-115-01", "Tổ cấp cứu 115 trung tâm", "medical", ("115", "cấp cứu", "ambulance")),
)


def units(communes: Sequence[Mapping[str, Any]], province: str) -> list[dict[str, Any]]:
    """Police and cleaners of each commune and the city's own units, for areas as `matpho.yaml` names them."""
    local = [
        {
            "id": f"{prefix}-{area['code']}",
            "name": f"{what} {area['name'][0].lower()}{area['name'][1:]}",
            "aliases": [f"{what} {alias}" for alias in area["aliases"]],
            "area": area["code"],
            "kind": kind,
        }
        for area in communes
        for prefix, what, kind in _LOCAL_UNITS
    ]
    city = [
        {"id": id_, "name": name, "aliases": list(aliases), "area": province, "kind": kind}
        for id_, name, kind, aliases in _CITY_UNITS
    ]
    return local + city


def grant(now: datetime) -> dict[str, Any]:
    """What the simulated authentication centre lets the demo ask."""
    return {
        "unit_code": UNIT_CODE,
        "purposes": list(PURPOSES),
        "fields": list(FIELDS),
        "valid_to": (now + GRANTED).isoformat(timespec="seconds"),
    }
