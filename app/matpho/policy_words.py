"""What a set of policy files changes, in sentences: Vietnamese, then English."""

from __future__ import annotations

from collections.abc import Collection

from matpho_platform.access.conditions import Condition
from matpho_platform.access.policy_files import Rule
from matpho_platform.access.policy_table import Cell, CellChange, Reach, RuleChange
from matpho_tools.wording import ROLE_NAMES

Both = tuple[str, str]
ACTIONS: dict[str, Both] = {
    "search_events": ("tìm sự kiện", "search events"),
    "get_event": ("xem sự kiện", "read events"),
    "find_similar_events": ("tìm sự kiện giống nhau", "find events that look alike"),
    "event_statistics": ("xem thống kê", "read statistics"),
    "list_cameras": ("xem danh sách camera", "list cameras"),
    "camera_status": ("xem trạng thái camera", "read the state of cameras"),
    "get_snapshot": ("xem ảnh camera", "see stills of cameras"),
    "get_clip": ("xem đoạn phim", "see clips"),
    "move_camera": ("điều khiển camera", "turn cameras"),
    "list_incidents": ("xem danh sách vụ việc", "list incidents"),
    "get_incident": ("xem vụ việc", "read incidents"),
    "acknowledge_alert": ("nhận cảnh báo", "acknowledge alerts"),
    "update_incident": ("cập nhật vụ việc", "change incidents"),
    "open_incident": ("mở vụ việc", "open incidents"),
    "dispatch_unit": ("điều lực lượng", "send units"),
    "escalate_incident": ("chuyển vụ việc lên cấp trên", "escalate incidents"),
    "create_watch": ("đặt theo dõi", "make watches"),
    "export_evidence": ("xuất chứng cứ", "export evidence"),
    "request_identity_check": ("yêu cầu xác minh danh tính", "request identity checks"),
    "decide_identity_check": ("quyết định yêu cầu xác minh", "decide identity checks"),
    "identity_check_result": ("xem kết quả xác minh", "read results of identity checks"),
    "list_identity_checks": ("xem danh sách yêu cầu xác minh", "list identity checks"),
    "submit_feedback": ("gửi phản ánh", "file reports"),
    "feedback_status": ("xem tình trạng phản ánh", "ask where reports stand"),
    "public_information": ("hỏi thông tin công khai", "ask for public information"),
    "list_procedures": ("xem quy trình", "read procedures"),
    "daily_briefing": ("đọc bản tin", "read the briefing"),
    "search_audit": ("đọc nhật ký kiểm toán", "read the audit log"),
}
REACHES: dict[Reach, Both] = {
    Reach.NO: ("không được", "may not"),
    Reach.OWN: ("trong địa bàn của mình", "in own areas"),
    Reach.ALL: ("trong toàn tỉnh", "in the whole province"),
    Reach.OTHER: ("ở những địa bàn mà chính sách nêu", "in areas that the policies name"),
}
CONDITIONS: dict[Condition, Both] = {
    Condition.PUBLIC_ONLY: ("chỉ phần công khai", "public parts only"),
    Condition.NO_PLATES: ("không có biển số", "without plates"),
    Condition.NO_THUMBNAILS_OF_PEOPLE: ("không có ảnh người", "without pictures of people"),
    Condition.REDACTED: ("đã được che", "redacted"),
    Condition.STATUS_ONLY: ("chỉ trạng thái", "status only"),
    Condition.OWN_ACTIONS_ONLY: ("chỉ việc của chính mình", "own actions only"),
    Condition.CASE_NUMBER: ("phải có số hồ sơ", "with a case number"),
    Condition.NEVER_OWN_REQUEST: ("không phải yêu cầu của mình", "never one's own request"),
    Condition.REQUESTER_OR_DECIDER: ("chỉ yêu cầu mà mình là một bên", "as a party of the request only"),
}
FRESH: Both = ("xác thực bước hai trong 5 phút", "with a fresh second factor")
"""The limit is the one that ships; a deployment's own stands in its `sessions.cedar`."""


def cell_sentence(change: CellChange) -> Both:
    """Who may now do what, and what it was."""
    role, action = ROLE_NAMES[change.role], ACTIONS.get(change.action, (change.action, change.action))
    (new_vi, new_en), (old_vi, old_en) = _cell(change.after), _cell(change.before)
    vi = f"{role[0].capitalize()} {action[0]}: {new_vi} (trước: {old_vi})."
    return vi, f"{role[1].capitalize()}, {action[1]}: {new_en} (before: {old_en})."


def rule_sentence(change: RuleChange) -> Both:
    """Which policy is new, gone or written otherwise, and what it is about."""
    rule = change.after or change.before
    if rule is None:
        raise ValueError("a change without a policy")
    if change.before is None:
        how = ("thêm", "added")
    elif change.after is None:
        how = ("bỏ", "taken out")
    else:
        how = ("sửa", "changed")
    effect = ("cho phép", "permits") if rule.effect == "permit" else ("cấm", "forbids")
    about = _about(rule)
    return (
        f"Chính sách «{rule.name}» ({effect[0]}): {how[0]}. Về: {about[0]}.",
        f"Policy «{rule.name}» ({effect[1]}): {how[1]}. About: {about[1]}.",
    )


def _cell(cell: Cell) -> Both:
    vi, en = REACHES[cell.reach]
    parts = [CONDITIONS[word] for word in sorted(cell.conditions)] + ([FRESH] if cell.second_factor else [])
    return ", ".join([vi, *(part[0] for part in parts)]), ", ".join([en, *(part[1] for part in parts)])


def _about(rule: Rule) -> Both:
    actions: Collection[str] = sorted(rule.actions or ())
    if not actions:
        return "mọi hành động", "every action"
    words = [ACTIONS.get(action, (action, action)) for action in actions]
    return ", ".join(vi for vi, _ in words), ", ".join(en for _, en in words)
