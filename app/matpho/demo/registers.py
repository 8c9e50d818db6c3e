"""What a city has besides cameras, for the demo: units that can be sent, procedures, the grant for identity checks."""

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
PROCEDURES: tuple[Mapping[str, Any], ...] = (
    {
        "id": "QT-CHAY",
        "title": "Xử lý báo cháy, báo khói",
        "event_types": ["fire", "smoke"],
        "priority": "critical",
        "steps": [
            {"name": "Xác nhận bằng hình ảnh", "role": "officer", "within_minutes": 2},
            {"name": "Điều lực lượng chữa cháy", "role": "officer", "within_minutes": 5},
            {"name": "Báo cáo kết quả", "role": "commander", "within_minutes": 30},
        ],
        "text": "Xem hình hiện tại và đoạn hình trước sự kiện. Nếu đúng có cháy thì điều đội chữa cháy và báo 114 "
        "ngay, sau đó mới làm các việc khác. Giữ lối cho xe chữa cháy đi vào.",
    },
    {
        "id": "QT-VA-CHAM",
        "title": "Xử lý va chạm giao thông",
        "event_types": ["collision"],
        "priority": "high",
        "steps": [
            {"name": "Xem có người bị thương không", "role": "officer", "within_minutes": 3},
            {"name": "Điều cảnh sát giao thông", "role": "officer", "within_minutes": 10},
            {"name": "Thông đường", "role": "officer", "within_minutes": 60},
        ],
        "text": "Có người bị thương thì gọi 115 trước. Giữ nguyên hiện trường đến khi cảnh sát giao thông có mặt, trừ "
        "khi phải nhường đường cho xe cấp cứu.",
    },
    {
        "id": "QT-GIAO-THONG",
        "title": "Xử lý vi phạm giao thông qua camera",
        "event_types": ["wrong_way", "illegal_parking", "stopped_vehicle", "congestion"],
        "priority": "medium",
        "steps": [
            {"name": "Xem lại đoạn hình", "role": "officer", "within_minutes": 10},
            {"name": "Báo tổ tuần tra", "role": "officer", "within_minutes": 20},
        ],
        "text": "Xe dừng vì hỏng thì giúp đưa vào lề. Xe đi ngược chiều thì báo tổ tuần tra phía trước, không đuổi.",
    },
    {
        "id": "QT-DO-RAC",
        "title": "Xử lý đổ rác trộm",
        "event_types": ["illegal_dumping"],
        "priority": "low",
        "steps": [
            {"name": "Lưu đoạn hình làm bằng chứng", "role": "officer", "within_minutes": 60},
            {"name": "Báo đội vệ sinh dọn", "role": "officer", "within_minutes": 240},
        ],
        "text": "Chỉ xử phạt khi thấy rõ hành vi. Người dân được báo kết quả nếu vụ việc bắt đầu từ phản ánh của họ.",
        "public": True,
    },
    {
        "id": "QT-DONG-NGUOI",
        "title": "Giữ an toàn nơi đông người",
        "event_types": ["crowd"],
        "priority": "medium",
        "steps": [
            {"name": "Xem mật độ và lối thoát", "role": "officer", "within_minutes": 5},
            {"name": "Phân luồng nếu ùn ứ", "role": "officer", "within_minutes": 20},
        ],
        "text": "Việc cần làm là giữ an toàn: lối thoát, giao thông quanh nơi đông người. "
        "Không ghi danh sách người tham dự.",
    },
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
