"""Random pages of panels with faces and words, and masks of what is written into them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from multiid.geometry import Box, Size
from multiid.story.places import Reading
from multiid.story.script import Panel
from multiid.story.seen import Seen, SeenFace
from multiid.story.written import Balloon, Polygon

NAMES = ("mia", "tom", "zoe", "ben", "ida")
SIZES = (
    Size(1120, 560),
    Size(548, 560),
    Size(548, 820),
    Size(357, 560),
    Size(1120, 1100),
    Size(720, 400),
    Size(300, 280),
)
"""Panels of A4 pages at 150 dpi, the last a small one for so many words."""
WORDS = (
    "the a of and I you we they now then never always door night house river letter morning friend lantern "
    "secret shadow coming going leave wait listen please remember forget believe nothing everything somewhere "
    "together yesterday tomorrow impossible extraordinary no yes oh well"
)
SOUNDS = ("BOOM", "CRASH!", "KNOCK KNOCK", "whoosh", "TICK", "SPLASH!")


@dataclass(frozen=True)
class Random:
    """A panel of a random page."""

    where: str
    words: Panel
    seen: Seen
    reading: Reading


def random_pages(count: int, *, seed: int = 0) -> Iterator[list[Random]]:
    """Pages of one to three panels; each panel with up to 5 faces, 4 lines, 2 captions and 2 sound words."""
    dice = random.Random(seed)
    for page in range(1, count + 1):
        reading = dice.choice(("left-to-right", "left-to-right", "right-to-left"))
        yield [
            random_panel(dice, f"page {page}, panel {number}", reading) for number in range(1, dice.randint(1, 3) + 1)
        ]


def random_panel(dice: random.Random, where: str, reading: Reading) -> Random:
    size = dice.choice(SIZES)
    names = NAMES[: dice.choice((1, 1, 2, 2, 2, 3, 3, 4, 5))]
    boxes = _faces(dice, size, len(names))
    seen_names = [name for name in names if dice.random() < 0.95]
    faces = {name: SeenFace.of(box) for name, box in zip(seen_names, boxes, strict=False)}
    others = tuple(boxes[len(faces) :])
    lines = [_line(dice, names) for _ in range(dice.choice((0, 1, 1, 2, 2, 3, 4)))]
    captions = [
        {"text": _text(dice, 3, 14), "where": dice.choice(("top", "top", "bottom"))}
        for _ in range(dice.choice((0, 0, 0, 1, 1, 2)))
    ]
    sounds = [
        {"text": dice.choice(SOUNDS), "angle": dice.choice((0, 0, 12, -20, 60))}
        for _ in range(dice.choice((0, 0, 0, 1, 2)))
    ]
    words = {"prompt": "x", "people": list(names), "dialogue": lines, "captions": captions, "sounds": sounds}
    return Random(where, Panel.model_validate(words), Seen(size, faces, others), reading)


def _faces(dice: random.Random, size: Size, count: int) -> list[Box]:
    """Faces beside one another, of like sizes; the outermost may reach beyond the panel."""
    room = size.width / count
    scale = min(room * dice.uniform(0.35, 0.75), size.height * dice.uniform(0.16, 0.42) * 0.75)
    boxes: list[Box] = []
    for index in range(count):
        width = scale * dice.uniform(0.85, 1.15)
        height = width / 0.75
        middle = room * (index + 0.5) + dice.uniform(-0.5, 0.5) * max(room - width, 0)
        top = size.height * dice.uniform(0.12, 0.5)
        boxes.append(Box(middle - width / 2, top, middle + width / 2, top + height))
    return boxes


def _line(dice: random.Random, names: tuple[str, ...]) -> dict[str, str]:
    how = dice.choice(("speech", "speech", "speech", "thought", "shout", "whisper", "narration"))
    text = _text(dice, 1, 6 if how == "shout" else 14)
    if how == "narration":
        return {"text": text, "how": how}
    return {"text": text, "how": how, "who": dice.choice((*names, *names, "somebody"))}


def _text(dice: random.Random, fewest: int, most: int) -> str:
    words = [dice.choice(WORDS.split()) for _ in range(dice.randint(fewest, most))]
    return " ".join(words).capitalize() + dice.choice((".", "!", "?", "..."))


def mask_of(polygon: Polygon, size: Size, *, line_px: float = 0.0) -> np.ndarray:
    """The pixels inside a closed line and on it, (height, width), drawn by Pillow."""
    sheet = Image.new("1", size)
    pen = ImageDraw.Draw(sheet)
    pen.polygon(list(polygon), fill=1)
    if line_px:
        pen.line([*polygon, polygon[0]], fill=1, width=round(line_px))
    return np.asarray(sheet)


def mask_of_balloon(balloon: Balloon, size: Size, *, line_px: float) -> np.ndarray:
    """The pixels of a balloon with its tail and its line."""
    mask = mask_of(balloon.outline, size, line_px=line_px)
    for bubble in balloon.bubbles:
        turns = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        circle = tuple((bubble.x + bubble.radius * np.cos(t), bubble.y + bubble.radius * np.sin(t)) for t in turns)
        mask = mask | mask_of(circle, size, line_px=line_px)
    return mask


def mask_of_boxes(boxes: tuple[Box, ...], size: Size) -> np.ndarray:
    """The pixels whose middle lies in any of the boxes."""
    mask = np.zeros((size.height, size.width), bool)
    for box in boxes:
        left, top, right, bottom = (max(round(side), 0) for side in box.corners)
        mask[top:bottom, left:right] = True
    return mask
