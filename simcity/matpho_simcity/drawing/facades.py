"""Fronts of tube houses, shops, schools and hoardings, and the sprites of trees: painted once, hung everywhere."""

from __future__ import annotations

import math
from random import Random

import cv2
import numpy as np

from matpho_simcity.drawing.geometry import Picture

SCALE = 20
"""Texture pixels per metre."""
_PAINTS = (
    (196, 222, 236),
    (160, 206, 232),
    (190, 214, 200),
    (214, 208, 190),
    (214, 216, 218),
    (180, 190, 222),
    (120, 178, 222),
    (150, 160, 170),
    (205, 225, 228),
    (110, 130, 168),
    (176, 200, 170),
    (228, 226, 220),
)
_SIGNS = (
    (40, 40, 200),
    (160, 60, 20),
    (30, 150, 40),
    (20, 190, 240),
    (230, 230, 230),
    (20, 110, 240),
    (140, 30, 120),
    (40, 40, 40),
    (170, 130, 20),
)
_WORDS = (
    "PHO BO",
    "BUN CHA",
    "CA PHE",
    "NHA THUOC",
    "TAP HOA",
    "VANG BAC",
    "SUA XE",
    "COM BINH DAN",
    "BIA HOI",
    "CAT TOC",
    "DIEN THOAI",
    "BANH MI",
    "HOA TUOI",
    "KARAOKE",
    "KHACH SAN",
    "QUAN AO",
    "TRA SUA",
    "GIAY DEP",
    "NGAN HANG",
    "SPA",
)

Ink = tuple[int, int, int, int]


def _ink(colour: tuple[int, int, int], glow: int = 0) -> Ink:
    return colour[0], colour[1], colour[2], glow


def _grain(image: Picture, seed: int, sigma: float = 7.0) -> None:
    """Roughen the colour channels in place: fine noise and stains that run down."""
    noise = np.random.default_rng(seed)
    height, width = image.shape[:2]
    fine = noise.normal(0, sigma, (height, width, 1))
    stain = cv2.resize(noise.normal(0, 9, (6, max(4, width // 8))), (width, height), interpolation=cv2.INTER_CUBIC)
    image[:, :, :3] = np.clip(image[:, :, :3] + fine + stain[:, :, None], 0, 255).astype(np.uint8)


def _lettering(image: Picture, box: tuple[int, int, int, int], word: str, ink: Ink, rng: Random) -> None:
    """Capital letters with the marks that Vietnamese wears above and below."""
    x, y, w, h = box
    size = min(w / max(1, len(word)) / 19, h / 32)
    thickness = max(1, round(size * 2.2))
    (text_width, text_height), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, size, thickness)
    left, base = x + (w - text_width) // 2, y + (h + text_height) // 2
    cv2.putText(image, word, (left, base), cv2.FONT_HERSHEY_SIMPLEX, size, ink, thickness, cv2.LINE_AA)
    step = text_width / max(1, len(word))
    for index, letter in enumerate(word):
        if letter in "AEIOUY" and rng.random() < 0.6:
            at = int(left + (index + 0.5) * step)
            cv2.line(image, (at - 1, base - text_height - 1), (at + 2, base - text_height - 3), ink, 1)


def _signboard(image: Picture, x: int, y: int, w: int, h: int, rng: Random) -> None:
    ground = rng.choice(_SIGNS)
    light = sum(ground) > 380
    glow = rng.choice((0, 120, 190, 230))
    cv2.rectangle(image, (x, y), (x + w, y + h), _ink(ground, glow), -1)
    cv2.rectangle(image, (x, y), (x + w, y + h), _ink((60, 60, 60), 0), 1)
    letters = (30, 30, 170) if light else rng.choice(((245, 245, 245), (60, 230, 250)))
    _lettering(image, (x + 2, y + 1, w - 4, h - 2), rng.choice(_WORDS), _ink(letters, glow), rng)


def _ground_floor(image: Picture, top: int, rng: Random) -> None:
    """A rolled-down shutter, or an open shop with its goods, under a signboard."""
    height, width = image.shape[:2]
    left, right = 6, width - 6
    if rng.random() < 0.35:
        steel = rng.choice(((150, 150, 148), (170, 140, 90), (110, 140, 100), (125, 125, 130)))
        cv2.rectangle(image, (left, top), (right, height), _ink(steel), -1)
        for y in range(top, height, 4):
            cv2.line(image, (left, y), (right, y), _ink(tuple(int(c * 0.78) for c in steel)), 1)  # type: ignore[arg-type]  # three channels
    else:
        glow = rng.choice((60, 120, 200))
        cv2.rectangle(image, (left, top), (right, height), _ink((58, 66, 74), glow // 2), -1)
        for _ in range(26):
            x, y = rng.randint(left, right - 8), rng.randint(top + 8, height - 6)
            goods = tuple(int(rng.uniform(60, 215)) for _ in range(3))
            cv2.rectangle(image, (x, y), (x + rng.randint(4, 10), y + rng.randint(3, 12)), (*goods, glow), -1)
        cv2.rectangle(image, (left, top), (right, top + 5), _ink((200, 225, 235), glow), -1)
    if rng.random() < 0.85:
        _signboard(image, 3, top - 22, width - 6, 20, rng)


def _storey(image: Picture, y: int, height: int, paint: tuple[int, int, int], rng: Random) -> None:
    """One upper floor: windows or a balcony with plants, an air conditioner, washing."""
    width = image.shape[1]
    frame = rng.choice(((90, 110, 130), (230, 230, 230), (70, 90, 60), (60, 70, 90)))
    count = 1 if width < 85 else rng.choice((1, 2, 2))
    lit = rng.random() < 0.3
    glass = (110, 190, 225) if lit else rng.choice(((96, 84, 74), (70, 66, 62), (120, 108, 92)))
    span = width // count
    for index in range(count):
        x0, x1 = index * span + span // 5, (index + 1) * span - span // 5
        y0, y1 = y + height // 5, y + height - (4 if rng.random() < 0.5 else height // 4)
        cv2.rectangle(image, (x0 - 2, y0 - 2), (x1 + 2, y1 + 2), _ink(frame), -1)
        cv2.rectangle(image, (x0, y0), (x1, y1), _ink(glass, 170 if lit else 0), -1)
        cv2.line(image, ((x0 + x1) // 2, y0), ((x0 + x1) // 2, y1), _ink(frame), 2)
    darker = tuple(int(c * 0.8) for c in paint)
    cv2.rectangle(image, (0, y + height - 3), (width, y + height), (*darker, 0), -1)
    if rng.random() < 0.6:
        rail = rng.choice(((60, 60, 60), (200, 205, 205), (80, 110, 140)))
        for x in range(3, width - 3, 5):
            cv2.line(image, (x, y + height - 20), (x, y + height - 3), _ink(rail), 1)
        cv2.line(image, (2, y + height - 20), (width - 3, y + height - 20), _ink(rail), 2)
        for _ in range(rng.randint(0, 9)):
            cv2.circle(
                image,
                (rng.randint(4, width - 4), y + height - rng.randint(6, 24)),
                rng.randint(2, 6),
                _ink((rng.randint(30, 60), rng.randint(90, 140), rng.randint(40, 80))),
                -1,
            )
        if rng.random() < 0.3:
            for x in range(10, width - 10, 9):
                cloth = tuple(rng.randint(60, 235) for _ in range(3))
                cv2.rectangle(image, (x, y + height // 3), (x + 6, y + height // 3 + 13), (*cloth, 0), -1)
    if rng.random() < 0.5:
        x = rng.randint(4, max(5, width - 26))
        cv2.rectangle(image, (x, y + height - 18), (x + 18, y + height - 5), _ink((215, 218, 218)), -1)
        cv2.circle(image, (x + 7, y + height - 12), 5, _ink((120, 120, 120)), 1)


def house_front(rng: Random, width_m: float, floors: int) -> Picture:
    """A tube house: (H, W, 4) blue, green, red, glow; 20 px to the metre, 3.4 m a floor."""
    paint = rng.choice(_PAINTS)
    storey = int(3.4 * SCALE)
    width, height = int(width_m * SCALE), storey * floors
    image = np.zeros((height, width, 4), np.uint8)
    image[:, :, :3] = paint
    for floor in range(floors - 1):
        _storey(image, floor * storey, storey, paint, rng)
    _ground_floor(image, height - storey + 26, rng)
    cv2.rectangle(image, (0, 0), (width - 1, 5), _ink(tuple(int(c * 0.85) for c in paint)), -1)  # type: ignore[arg-type]  # three channels
    cv2.rectangle(image, (0, 0), (width - 1, height - 1), _ink((95, 100, 104)), 1)
    _grain(image, rng.randint(0, 1 << 30))
    return image


def office_front(rng: Random, width_m: float, floors: int, word: str = "") -> Picture:
    """A school or office block: rows of equal windows under a flat roof, yellow as Hanoi's schools are."""
    storey = int(3.5 * SCALE)
    width, height = int(width_m * SCALE), storey * floors
    image = np.zeros((height, width, 4), np.uint8)
    image[:, :, :3] = rng.choice(((130, 200, 238), (150, 210, 240), (200, 214, 222)))
    for floor in range(floors):
        y = floor * storey
        cv2.rectangle(image, (0, y + storey - 9), (width, y + storey - 3), _ink((225, 230, 232)), -1)
        for x in range(10, width - 34, 46):
            cv2.rectangle(
                image, (x, y + 16), (x + 30, y + 48), _ink((86, 96, 70), 110 if rng.random() < 0.3 else 0), -1
            )
            cv2.rectangle(image, (x, y + 16), (x + 30, y + 48), _ink((70, 120, 60)), 2)
            cv2.line(image, (x + 15, y + 16), (x + 15, y + 48), _ink((70, 120, 60)), 2)
    if word:
        _lettering(image, (10, 2, width - 20, 20), word, _ink((30, 30, 190)), rng)
    _grain(image, rng.randint(0, 1 << 30))
    return image


def corrugated(rng: Random, width_m: float, height_m: float, colour: tuple[int, int, int]) -> Picture:
    """A hoarding of ribbed sheet."""
    width, height = int(width_m * SCALE), int(height_m * SCALE)
    rib = 0.88 + 0.12 * np.sin(np.arange(width) * 2 * math.pi / 6)
    image = np.zeros((height, width, 4), np.uint8)
    image[:, :, :3] = np.clip(np.array(colour) * rib[None, :, None], 0, 255)
    for x in range(0, width, 60):
        cv2.rectangle(image, (x, 0), (x + 2, height), _ink(tuple(int(c * 0.7) for c in colour)), -1)  # type: ignore[arg-type]  # three channels
    _grain(image, rng.randint(0, 1 << 30), 5)
    return image


def banner(rng: Random, word: str, ground: tuple[int, int, int], letters: tuple[int, int, int]) -> Picture:
    """A board with lettering, 160 by 32 pixels."""
    image = np.zeros((32, 160, 4), np.uint8)
    image[:] = _ink(ground, 120)
    _lettering(image, (4, 2, 152, 28), word, _ink(letters, 150), rng)
    return image


def tree_sprite(rng: Random, kind: str = "tree") -> Picture:
    """A tree (or "bush", "palm") as a (160, 128, 4) BGRA sprite, foot at the middle of the lower edge."""
    image = np.zeros((160, 128, 4), np.uint8)
    bark = rng.choice(((58, 74, 92), (70, 84, 98), (50, 62, 76)))
    base = (rng.uniform(28, 52), rng.uniform(84, 122), rng.uniform(46, 84))
    if kind == "palm":
        cv2.polylines(image, [np.array([(64, 159), (61, 110), (66, 50)])], False, (*bark, 255), 6)
        for index in range(13):
            a = index / 13 * 2 * math.pi
            tip = (int(66 + 56 * math.cos(a)), int(50 + 34 * math.sin(a) + 8))
            tone = 0.75 + 0.4 * rng.random()
            cv2.ellipse(
                image,
                ((66 + tip[0]) // 2, (46 + tip[1]) // 2),
                (30, 6),
                math.degrees(math.atan2(tip[1] - 46, tip[0] - 66)),
                0,
                360,
                (*(int(min(255, c * tone)) for c in base), 255),
                -1,
            )
        return image
    crown_low = 92 if kind == "tree" else 158
    if kind == "tree":
        cv2.fillConvexPoly(image, np.array([(57, 159), (72, 159), (68, 70), (61, 70)]), (*bark, 255))
        for tip in ((36, 62), (94, 58), (60, 40)):
            cv2.line(image, (64, 96), tip, (*bark, 255), 5)
    for _ in range(190):
        a, r = rng.uniform(0, 2 * math.pi), math.sqrt(rng.random())
        wide, tall = (52, 40) if kind == "tree" else (56, 30)
        x, y = 64 + wide * r * math.cos(a), crown_low - tall - 4 + tall * r * math.sin(a)
        tone = rng.uniform(0.62, 1.0) + 0.4 * (crown_low - y) / (2 * tall)
        radius = rng.randint(4, 11)
        cv2.circle(image, (int(x), int(y)), radius, (*(int(min(255, c * tone)) for c in base), 255), -1)
    return image
