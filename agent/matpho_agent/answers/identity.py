"""Answers about identity checks: where a request stands, who must act next, and the granted fields while they last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matpho_agent.answers.calls import Done, Reader, Writer
from matpho_agent.answers.facts import moment, pick

PROBLEMS = {
    "silent": ("trung tâm xác thực chưa trả lời", "the authentication centre has not answered"),
    "untrusted": (
        "câu trả lời nhận được không đúng chữ ký nên không dùng",
        "the answer that came was not properly signed and is not used",
    ),
    "": ("chưa hỏi được trung tâm xác thực", "the authentication centre could not be asked yet"),
}


def _requested(call: Done, reader: Reader) -> str:
    data = call.result.data
    until = moment(data["expires_at"], reader.now, reader.language)
    text = pick(
        reader.language,
        f"Đã lập yêu cầu xác minh {data['id']} (hồ sơ {data['case_number']}, mục đích: {data['purpose']}). "
        f"Yêu cầu chờ một chỉ huy khác duyệt đến {until}; chưa gửi gì đến trung tâm xác thực.",
        f"Identity request {data['id']} is open (case {data['case_number']}, purpose: {data['purpose']}). "
        f"It waits for another commander until {until}; nothing was sent to the authentication centre.",
    )
    if data["anomalous"]:
        text += pick(
            reader.language,
            " Lưu ý: số yêu cầu của bạn hôm nay nhiều hơn mức thường và đã được đánh dấu.",
            " Note: you opened more requests today than is usual; this one is marked.",
        )
    return text


def _decided(call: Done, reader: Reader) -> str:
    data = call.result.data
    name, language = data["id"], reader.language
    if data["status"] == "rejected":
        reason = data["reason"]
        vi, en = (f" Lý do: «{reason}».", f" Reason: “{reason}”.") if reason else ("", "")
        return pick(
            language,
            f"Đã từ chối yêu cầu {name}; không gửi gì đến trung tâm xác thực.{vi}",
            f"Request {name} is rejected; nothing was sent to the authentication centre.{en}",
        )
    if data["status"] == "answered":
        return pick(
            language,
            f"Đã phê duyệt {name}. Trung tâm xác thực đã trả lời; người yêu cầu và bạn xem được kết quả.",
            f"{name} is approved. The authentication centre has answered; you and the requester can read the result.",
        )
    if data["status"] == "failed":
        return _failed(data, language)
    vi, en = PROBLEMS.get(data["problem"], PROBLEMS[""])
    return pick(
        language,
        f"Đã phê duyệt {name}, phê duyệt được giữ lại, nhưng {vi}. Hệ thống sẽ hỏi lại khi xem kết quả.",
        f"{name} is approved and the approval is kept, but {en}. It is asked again when the result is read.",
    )


def _failed(data: Mapping[str, Any], language: str) -> str:
    return pick(
        language,
        f"Yêu cầu {data['id']} đã được phê duyệt nhưng trung tâm xác thực từ chối trả lời "
        f"(quy tắc {data['problem']}); dữ liệu của yêu cầu đã xóa.",
        f"Request {data['id']} was approved but the authentication centre refused it "
        f"(rule {data['problem']}); the request's data was erased.",
    )


def _result(call: Done, reader: Reader) -> str:
    data, language = call.result.data, reader.language
    request = data["request"]
    name = request["id"]
    if request["status"] == "pending":
        until = moment(request["expires_at"], reader.now, language)
        return pick(
            language,
            f"Yêu cầu {name} đang chờ duyệt (đến {until}); chưa có kết quả.",
            f"Request {name} is pending (until {until}); there is no result yet.",
        )
    if request["status"] == "rejected":
        return pick(
            language,
            f"Yêu cầu {name} đã bị từ chối bởi {request['decided_by']}; không có kết quả.",
            f"Request {name} was rejected by {request['decided_by']}; there is no result.",
        )
    if request["status"] == "failed":
        return _failed(request, language)
    if not data["found"]:
        return pick(
            language,
            f"{name}: trung tâm xác thực không tìm thấy đối tượng khớp hoàn toàn (phiếu {data['answer_number']}).",
            f"{name}: the authentication centre found no subject that fits in full (slip {data['answer_number']}).",
        )
    until = moment(request["expires_at"], reader.now, language)
    head = pick(
        language,
        f"Kết quả {name} (hồ sơ {request['case_number']}, phiếu {data['answer_number']}), xem được đến {until}:",
        f"Result of {name} (case {request['case_number']}, slip {data['answer_number']}), readable until {until}:",
    )
    lines = [f"- {field}: {value}" for field, value in data["values"].items()]
    none = pick(language, "trung tâm không có dữ liệu", "the centre has no value")
    lines += [f"- {field}: {none}" for field in data["not_known"]]
    return "\n".join([head, *lines])


WRITERS: dict[str, Writer] = {
    "request_identity_check": _requested,
    "decide_identity_check": _decided,
    "identity_check_result": _result,
}
