"""Sentences of the gateway in both languages: denials, failures, nothing found."""

from __future__ import annotations

from collections.abc import Sequence

from matpho_platform.access.principal import Role

ROLE_NAMES: dict[Role, tuple[str, str]] = {
    Role.CITIZEN: ("người dân", "citizens"),
    Role.OFFICER: ("cán bộ địa bàn", "officers of the area"),
    Role.INVESTIGATOR: ("điều tra viên", "investigators"),
    Role.COMMANDER: ("chỉ huy", "commanders"),
    Role.LEADER: ("lãnh đạo", "leaders"),
    Role.AUDITOR: ("kiểm toán viên", "auditors"),
    Role.ADMIN: ("quản trị viên", "administrators"),
}
DENIALS: dict[str, tuple[str, str]] = {
    "role": ("Vai trò của bạn không được dùng chức năng này.", "Your role may not use this function."),
    "area": ("Nơi này nằm ngoài địa bàn của bạn.", "This place lies outside your area."),
    "unknown_tool": ("Không có chức năng này.", "There is no such function."),
    "unknown_action": ("Chính sách không cho phép việc này.", "The policy does not know this action."),
    "no_plates": ("Vai trò của bạn không được tìm theo biển số.", "Your role may not search by licence plate."),
    "public_only": (
        "Bạn chỉ xem được thống kê công khai theo loại sự kiện, khu vực và ngày.",
        "You can see public statistics only: by kind of event, area and day.",
    ),
    "withheld": (
        "Kết quả này không được hiển thị cho vai trò của bạn.",
        "This result may not be shown to your role.",
    ),
    "proposal_gone": (
        "Đề nghị này không còn chờ xác nhận (đã thực hiện, đã hủy hoặc quá 15 phút). Xin yêu cầu lại.",
        "This proposal no longer waits (done, cancelled, or older than 15 minutes). Please ask again.",
    ),
    "person_only": (
        "Chỉ một người đang đăng nhập mới được xác nhận, không phải mã truy cập của chương trình.",
        "Only a signed-in person may confirm, not a program's access token.",
    ),
    "step_up": (
        "Việc này cần xác thực lại bước hai trong 5 phút gần đây.",
        "This needs your second factor, shown again within the last 5 minutes.",
    ),
    "own_request": (
        "Bạn không được tự quyết định yêu cầu của chính mình; cần người thứ hai.",
        "You cannot decide a request of your own; it takes a second person.",
    ),
    "not_party": (
        "Chỉ người yêu cầu và người duyệt được xem kết quả này.",
        "Only who asked and who decided may see this result.",
    ),
    "not_own_package": (
        "Gói chứng cứ chỉ giao cho người đã lập hoặc cho chỉ huy.",
        "A package is handed to the one who made it or to a commander.",
    ),
    "not_own_report": (
        "Bạn chỉ xem được phản ánh của mình.",
        "You may see your own reports only.",
    ),
    "camera_held": (
        "Camera đang do người có cấp cao hơn điều khiển.",
        "Somebody of a higher role holds this camera.",
    ),
    "own_actions_only": (
        "Bạn chỉ xem được nhật ký thao tác của chính mình.",
        "You may read the log of your own actions only.",
    ),
    "token_scope": (
        "Mã truy cập này không được cấp quyền cho việc đó.",
        "This access token was not given that right.",
    ),
    "bulk": ("Mỗi yêu cầu chỉ được về một người hoặc một xe.", "One request is about one person or one vehicle."),
    "engine": (
        "Không kiểm tra được chính sách nên không cho phép.",
        "The policy could not be checked, so the answer is no.",
    ),
    "not_ptz": ("Camera này cố định, không thể xoay.", "This camera is fixed and cannot be turned."),
}


def denial(rule: str, who_can: Sequence[Role]) -> tuple[str, str]:
    """Which rule said no and who may, in Vietnamese and English."""
    vi, en = DENIALS.get(rule, (f"Chính sách từ chối (quy tắc {rule}).", f"The policy says no (rule {rule})."))
    if who_can:
        vi += f" Người được phép: {', '.join(ROLE_NAMES[role][0] for role in who_can)}."
        en += f" Those who may: {', '.join(ROLE_NAMES[role][1] for role in who_can)}."
    return vi, en


def failure(part_vi: str, part_en: str, reason: str) -> tuple[str, str]:
    """Which part did not answer."""
    return (
        f"Không kiểm tra được: {part_vi} không trả lời. Đây không phải là «không có kết quả».",
        f"Could not check: {part_en} did not answer ({reason}). This is not the same as no result.",
    )


def missing(argument: str, reason: str) -> tuple[str, str]:
    """Which argument is wrong or lacking."""
    return f"Cần bổ sung hoặc sửa «{argument}»: {reason}.", f"«{argument}» is needed or wrong: {reason}."


NOT_FOUND = (
    "Không tìm thấy trong phạm vi bạn được xem.",
    "It was not found within what you may see.",
)
