"""What the audit log names by codes, in words: actions and arguments. A code without a name here is said as it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from matpho_agent.answers.facts import area_name, camera_name, moment, pick, vocabulary
from matpho_agent.answers.talk import TOOL_NAMES
from matpho_tools.city import City

MAX_ARGUMENTS = 160
MAX_LISTED = 6
ACTION_NAMES: Mapping[str, tuple[str, str]] = {
    **TOOL_NAMES,
    "search_events": ("tìm sự kiện", "searching events"),
    "find_similar_events": ("tìm sự kiện tương tự", "looking for similar events"),
    "get_event": ("xem sự kiện", "reading an event"),
    "event_still": ("xem ảnh sự kiện", "viewing an event's picture"),
    "event_statistics": ("thống kê", "statistics"),
    "list_cameras": ("xem danh sách camera", "listing cameras"),
    "camera_status": ("xem trạng thái camera", "reading a camera's state"),
    "get_snapshot": ("xem hình camera", "viewing a camera"),
    "get_clip": ("lấy clip", "fetching a clip"),
    "open_clip": ("xem clip", "viewing a clip"),
    "open_evidence": ("tải gói bằng chứng", "downloading evidence"),
    "feedback_photo": ("xem ảnh phản ánh", "viewing a report's photo"),
    "list_identity_checks": ("xem các yêu cầu xác minh", "listing identity requests"),
    "say": ("câu nói bị từ chối", "words that were refused"),
    "confirm": ("đồng ý thực hiện", "a yes"),
    "cancel": ("hủy việc đang chờ", "a no"),
    "sign_in": ("đăng nhập", "signing in"),
    "sign_out": ("đăng xuất", "signing out"),
    "set_password": ("đặt mật khẩu", "setting a password"),
    "create_account": ("tạo tài khoản", "making an account"),
    "change_account": ("sửa tài khoản", "changing an account"),
    "make_token": ("tạo mã truy cập", "making an access token"),
    "revoke_token": ("thu hồi mã truy cập", "revoking an access token"),
    "enrol_totp": ("bắt đầu thiết lập bước hai", "beginning a second factor"),
    "confirm_totp": ("thiết lập bước hai", "setting up a second factor"),
    "second_factor": ("xác thực bước hai", "showing a second factor"),
}
ARGUMENT_NAMES: Mapping[str, tuple[str, str]] = {
    "query": ("lời tìm", "words"),
    "text": ("nội dung", "text"),
    "event_types": ("loại", "kinds"),
    "objects": ("đối tượng", "objects"),
    "objects_not": ("không có", "without"),
    "colors": ("màu", "colours"),
    "plate": ("biển số", "plate"),
    "areas": ("khu vực", "areas"),
    "area": ("khu vực", "area"),
    "camera_ids": ("camera", "cameras"),
    "camera_id": ("camera", "camera"),
    "time_from": ("từ", "from"),
    "time_to": ("đến", "to"),
    "status": ("trạng thái", "state"),
    "priority": ("ưu tiên", "priority"),
    "incident_id": ("vụ việc", "incident"),
    "unit_id": ("lực lượng", "unit"),
    "event_id": ("sự kiện", "event"),
    "event_ids": ("sự kiện", "events"),
    "request_id": ("yêu cầu", "request"),
    "case_number": ("hồ sơ", "case"),
    "purpose": ("mục đích", "purpose"),
    "fields": ("trường", "fields"),
    "decision": ("quyết định", "decision"),
    "reason": ("lý do", "reason"),
    "note": ("ghi chú", "note"),
    "subject": ("đối tượng", "subject"),
    "actor": ("người làm", "who"),
    "action": ("việc", "action"),
    "category": ("loại", "kind"),
    "limit": ("tối đa", "at most"),
    "group_by": ("chia theo", "by"),
    "metric": ("chỉ số", "figure"),
    "notify": ("báo cho", "tell"),
    "expires": ("đến", "until"),
    "name": ("tên", "name"),
    "filter": ("điều kiện", "filter"),
}


def action_name(action: str, language: str) -> str:
    """An action in words."""
    return pick(language, *ACTION_NAMES.get(action, (action, action)))


def arguments_said(arguments: Mapping[str, Any], city: City, now: datetime, language: str) -> str:
    """What was asked, as the trail keeps it, quoted and cut: it may hold anybody's words and unfit values."""
    if not arguments:
        return ""
    words = vocabulary(language)

    def said(name: str, value: Any) -> str:
        if isinstance(value, Mapping):
            if value.get("sealed") is True:
                return pick(language, "(niêm phong)", "(sealed)")
            return "(" + "; ".join(labelled(str(key), inner) for key, inner in value.items()) + ")"
        if isinstance(value, list | tuple):
            more = f" +{len(value) - MAX_LISTED}" if len(value) > MAX_LISTED else ""
            return ", ".join(said(name, inner) for inner in value[:MAX_LISTED]) + more
        text = str(value)
        if name in {"camera_id", "camera_ids"}:
            return camera_name(city, text)
        if name in {"area", "areas"}:
            return area_name(city, text)
        if name in {"time_from", "time_to", "expires"}:
            return _time(text, now, language)
        if name == "action":
            return action_name(text, language)
        return words.get(text, text)

    def labelled(name: str, value: Any) -> str:
        return f"{pick(language, *ARGUMENT_NAMES.get(name, (name, name)))}: {said(name, value)}"

    text = "; ".join(labelled(name, value) for name, value in arguments.items())
    return f"«{text if len(text) <= MAX_ARGUMENTS else text[:MAX_ARGUMENTS] + '…'}»"


def _time(text: str, now: datetime, language: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment(at, now, language) if at.tzinfo else text
