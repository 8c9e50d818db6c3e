"""Words that need no tool: greetings, help, what this installation cannot do."""

from __future__ import annotations

from matpho_agent.answers.facts import pick
from matpho_platform.access.principal import Principal
from matpho_prompts.library import Prompt

TOOL_NAMES: dict[str, tuple[str, str]] = {
    "move_camera": ("điều khiển camera", "moving cameras"),
    "acknowledge_alert": ("nhận cảnh báo", "acknowledging alerts"),
    "open_incident": ("mở vụ việc", "opening incidents"),
    "dispatch_unit": ("điều lực lượng", "dispatching units"),
    "update_incident": ("cập nhật vụ việc", "updating incidents"),
    "escalate_incident": ("chuyển cấp trên", "escalating incidents"),
    "list_incidents": ("tra cứu vụ việc", "listing incidents"),
    "get_incident": ("tra cứu vụ việc", "reading incidents"),
    "create_watch": ("đặt theo dõi tự động", "standing watches"),
    "export_evidence": ("xuất bằng chứng", "exporting evidence"),
    "request_identity_check": ("yêu cầu xác minh danh tính", "identity checks"),
    "decide_identity_check": ("duyệt xác minh danh tính", "deciding identity checks"),
    "identity_check_result": ("kết quả xác minh", "identity results"),
    "submit_feedback": ("nhận phản ánh", "taking reports"),
    "feedback_status": ("tra cứu phản ánh", "report status"),
    "public_information": ("thông tin công khai", "public information"),
    "list_procedures": ("tra cứu quy trình", "procedures"),
    "daily_briefing": ("báo cáo giao ban", "the daily briefing"),
    "forecast": ("dự báo", "forecasts"),
    "mean_response_minutes": ("thống kê thời gian xử lý", "response time figures"),
    "resolved_share": ("thống kê tỷ lệ giải quyết", "resolution figures"),
    "open": ("thống kê vụ việc đang mở", "figures of open incidents"),
    "search_audit": ("tra cứu nhật ký", "the audit trail"),
}


def talk(topic: str, about: str, prompt: Prompt, principal: Principal, language: str) -> str:
    """The answer to a word of talk; `about` names a tool that is not installed."""
    if topic == "greeting":
        return pick(language, f"Chào {principal.name}. {prompt.help}", f"Hello {principal.name}. {prompt.help}")
    if topic == "help":
        return prompt.help
    if topic == "dropped":
        return pick(language, "Vâng, tôi bỏ việc đó. Chưa có gì thay đổi.", "All right, dropped. Nothing was changed.")
    if topic == "nothing_waits":
        return pick(
            language,
            "Hiện không có việc gì đang chờ bạn xác nhận; chưa có gì thay đổi. Bạn cần gì cứ nói.",
            "Nothing is waiting for your answer, and nothing was changed. Tell me what you need.",
        )
    if topic == "thanks":
        return pick(language, "Không có gì. Cần gì thêm cứ nói.", "You are welcome. Tell me if you need anything else.")
    if topic == "bye":
        return pick(language, "Tạm biệt.", "Goodbye.")
    if topic == "unavailable":
        vi, en = TOOL_NAMES.get(about, (about, about))
        return pick(
            language,
            f"Bản cài đặt này chưa có chức năng {vi}, nên tôi chưa làm gì. {prompt.help}",
            f"This installation does not offer {en} yet, so nothing was done. {prompt.help}",
        )
    return pick(
        language,
        f"Tôi chưa hiểu bạn cần gì. {prompt.help}",
        f"I did not understand what you need. {prompt.help}",
    )
