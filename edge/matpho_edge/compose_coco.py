"""Vietnamese names of the everyday things that COCO detectors know and the event contract has no class for."""

from __future__ import annotations

from collections.abc import Mapping

from matpho_contracts.vocabulary import Name

_VIETNAMESE = {
    "airplane": "máy bay", "train": "tàu hỏa", "boat": "thuyền", "traffic light": "đèn giao thông",
    "fire hydrant": "trụ cứu hỏa", "stop sign": "biển báo dừng", "parking meter": "đồng hồ đỗ xe", "bench": "ghế băng",
    "bird": "chim", "cat": "mèo", "dog": "chó", "horse": "ngựa", "sheep": "cừu", "cow": "bò", "elephant": "voi",
    "bear": "gấu", "zebra": "ngựa vằn", "giraffe": "hươu cao cổ", "umbrella": "ô", "tie": "cà vạt",
    "frisbee": "đĩa ném", "skis": "ván trượt tuyết", "snowboard": "ván trượt tuyết đơn", "sports ball": "quả bóng",
    "kite": "diều", "baseball bat": "gậy bóng chày", "baseball glove": "găng bóng chày", "skateboard": "ván trượt",
    "surfboard": "ván lướt sóng", "tennis racket": "vợt tennis", "bottle": "chai", "wine glass": "ly rượu",
    "cup": "cốc", "fork": "dĩa", "knife": "dao", "spoon": "thìa", "bowl": "bát", "banana": "chuối", "apple": "táo",
    "sandwich": "bánh mì kẹp", "orange": "quả cam", "broccoli": "súp lơ xanh", "carrot": "cà rốt",
    "hot dog": "bánh mì xúc xích", "pizza": "pizza", "donut": "bánh vòng", "cake": "bánh ngọt", "chair": "ghế",
    "couch": "ghế sofa", "potted plant": "chậu cây", "bed": "giường", "dining table": "bàn ăn", "toilet": "bồn cầu",
    "tv": "tivi", "laptop": "máy tính xách tay", "mouse": "chuột máy tính", "remote": "điều khiển từ xa",
    "keyboard": "bàn phím", "cell phone": "điện thoại", "microwave": "lò vi sóng", "oven": "lò nướng",
    "toaster": "máy nướng bánh mì", "sink": "bồn rửa", "refrigerator": "tủ lạnh", "book": "sách",
    "clock": "đồng hồ", "vase": "bình hoa", "scissors": "kéo", "teddy bear": "gấu bông", "hair drier": "máy sấy tóc",
    "toothbrush": "bàn chải đánh răng",
}  # fmt: skip
COCO_NAMES: Mapping[str, Name] = {english: Name(vietnamese, english) for english, vietnamese in _VIETNAMESE.items()}
"""Detector's word to its name in both languages."""
