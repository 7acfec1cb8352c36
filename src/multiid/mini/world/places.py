"""The places scenes are set in: simple backgrounds, paler than the people before them."""

from collections.abc import Callable
from functools import cache

import numpy as np

from multiid.mini.world.colours import Colour, darker, lighter
from multiid.mini.world.dice import Dice
from multiid.mini.world.pen import Pen, Points, arc, circle, polygon, smooth

__all__ = ["draw_place", "place_light"]


def draw_place(pen: Pen, place: str, dice: Dice) -> None:
    """Fill the whole canvas with one of `words.PLACES`; the dice set its details."""
    _PAINTERS[place](_Stage(pen, dice))


@cache
def place_light(place: str) -> np.ndarray:
    """How a place's light changes each channel: a table (1, 256, 3) for `cv2.LUT`."""
    tint = {"night": (0.86, 0.9, 1.04), "moon": (0.95, 0.97, 1.04), "home": (1.0, 0.98, 0.93)}.get(place, (1, 1, 1))
    return np.clip(np.arange(256)[:, None] * np.array(tint), 0, 255).astype(np.uint8)[None]


class _Stage:
    """A canvas measured in its height, so that any shape of picture has trees of the same size."""

    def __init__(self, pen: Pen, dice: Dice) -> None:
        self._pen, self.dice = pen, dice
        self._unit = float(pen.size.height)
        self.wide = pen.size.width / pen.size.height
        self.ink = 0.006

    def sky(self, top: Colour, bottom: Colour, *, start: float = 0.0, end: float = 1.0) -> None:
        self._pen.gradient(top, bottom, start=start, end=end)

    def fill(self, shape: Points, colour: Colour) -> None:
        self._pen.fill(shape * self._unit, colour)

    def line(self, shape: Points, colour: Colour, width: float) -> None:
        self._pen.line(shape * self._unit, colour, width * self._unit)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour) -> None:
        self.fill(polygon((left, top), (right, top), (right, bottom), (left, bottom)), colour)

    def ridge(self, level: float, height: float, colour: Colour, *, peaks: int = 4, round_off: bool = True) -> None:
        """Land below a line of hills."""
        xs = np.linspace(-0.1, self.wide + 0.1, 2 * peaks + 1)
        ys = [level - (height * self.dice.between(0.5, 1.0) if index % 2 else 0.0) for index in range(len(xs))]
        line = np.stack([xs, ys], axis=1)
        if round_off:
            line = smooth(line, closed=False)
        self.fill(np.concatenate([line, polygon((self.wide + 0.1, 1.1), (-0.1, 1.1))]), colour)

    def cloud(self, x: float, y: float, size: float, colour: Colour = (255, 255, 255)) -> None:
        for dx, dy, radius in ((-0.8, 0.1, 0.5), (0.0, -0.15, 0.7), (0.8, 0.1, 0.5), (0.3, 0.2, 0.5)):
            self.fill(circle(x + dx * size, y + dy * size, radius * size, radius * size * 0.75), colour)

    def along(self, count: int, jitter: float = 0.3) -> list[float]:
        """That many places across the picture, unevenly spaced."""
        step = self.wide / count
        return [(index + 0.5 + self.dice.between(-jitter, jitter)) * step for index in range(count)]


def _beach(stage: _Stage) -> None:
    stage.sky((122, 200, 246), (206, 238, 252), end=0.5)
    stage.fill(circle(stage.wide * stage.dice.between(0.1, 0.9), 0.14, 0.085), (255, 238, 130))
    stage.cloud(stage.wide * stage.dice.between(0.1, 0.9), stage.dice.between(0.1, 0.25), 0.09)
    stage.sky((44, 150, 206), (110, 208, 224), start=0.46, end=0.68)
    for x in stage.along(5):
        y = stage.dice.between(0.5, 0.62)
        stage.line(polygon((x, y), (x + 0.09, y)), (214, 244, 248), 0.008)
    stage.ridge(0.68, 0.03, (246, 224, 164), peaks=3)
    x = stage.wide * stage.dice.pick((0.04, 0.96))
    stage.line(smooth(polygon((x, 0.9), (x + 0.02, 0.6), (x + 0.06, 0.34)), closed=False), (156, 112, 70), 0.035)
    for angle in (160, 205, 245, 295, 335, 380):
        dx, dy = np.cos(np.radians(angle)), np.sin(np.radians(angle))
        leaf = polygon((0, 0), (dx * 0.12 - dy * 0.03, dy * 0.12 - 0.05), (dx * 0.25, dy * 0.16 + 0.06),
                       (dx * 0.1, dy * 0.1 + 0.03))  # fmt: skip
        stage.fill(leaf + np.array([x + 0.06, 0.34]), (70, 160, 92))


def _garden(stage: _Stage) -> None:
    stage.sky((170, 220, 250), (232, 246, 250), end=0.6)
    stage.cloud(stage.wide * stage.dice.between(0.1, 0.9), 0.14, 0.08)
    for x in stage.along(6):
        stage.fill(circle(x, 0.5, stage.wide / 8 + 0.06, stage.dice.between(0.13, 0.22)), (112, 176, 104))
    for x in np.arange(0.0, stage.wide + 0.1, 0.1):
        stage.fill(polygon((x, 0.44), (x + 0.035, 0.4), (x + 0.07, 0.44), (x + 0.07, 0.66), (x, 0.66)), (246, 242, 232))
    stage.box(0, 0.48, stage.wide, 0.51, (232, 226, 212))
    stage.sky((150, 206, 112), (118, 182, 90), start=0.64)
    for x in stage.along(11, 0.45):
        y = stage.dice.between(0.7, 0.97)
        petal = stage.dice.pick(((250, 130, 160), (255, 214, 90), (250, 250, 250), (190, 140, 230)))
        stage.line(polygon((x, y), (x, y + 0.06)), (72, 140, 66), 0.01)
        for dx, dy in ((-0.02, 0), (0.02, 0), (0, -0.02), (0, 0.02)):
            stage.fill(circle(x + dx, y + dy, 0.018, count=8), petal)
        stage.fill(circle(x, y, 0.014, count=8), (250, 180, 60))


def _fir(stage: _Stage, x: float, foot: float, size: float, colour: Colour, *, snow: bool = False) -> None:
    stage.box(x - 0.04 * size, foot - 0.12 * size, x + 0.04 * size, foot, (120, 88, 66))
    for level, width in ((0.1, 0.3), (0.35, 0.24), (0.6, 0.17)):
        base = foot - level * size
        layer = polygon((x - width * size, base), (x, base - 0.45 * size), (x + width * size, base))
        stage.fill(layer, colour)
        if snow:
            stage.fill(polygon((x - width * size * 0.5, base - 0.225 * size), (x, base - 0.45 * size),
                               (x + width * size * 0.5, base - 0.225 * size), (x, base - 0.17 * size)),
                       (250, 252, 255))  # fmt: skip


def _snow(stage: _Stage) -> None:
    stage.sky((176, 196, 220), (222, 232, 244))
    stage.ridge(0.55, 0.14, (206, 218, 236), peaks=3)
    for x in stage.along(6):
        _fir(stage, x, stage.dice.between(0.58, 0.68), stage.dice.between(0.3, 0.46), (86, 134, 126), snow=True)
    stage.ridge(0.68, 0.07, (240, 246, 252), peaks=3)
    for x in stage.along(26, 0.5):
        stage.fill(circle(x, stage.dice.between(0.0, 1.0), stage.dice.between(0.008, 0.014), count=7), (255, 255, 255))


def _night(stage: _Stage) -> None:
    stage.sky((24, 34, 84), (56, 66, 128))
    x = stage.wide * stage.dice.between(0.12, 0.88)
    stage.fill(circle(x, 0.16, 0.1), (252, 244, 200))
    stage.fill(circle(x + 0.045, 0.14, 0.085), (29, 39, 90))
    for star in stage.along(22, 0.5):
        stage.fill(
            circle(star, stage.dice.between(0.02, 0.5), stage.dice.between(0.005, 0.011), count=6), (255, 250, 220)
        )
    for left in stage.along(4, 0.2):
        top, half = stage.dice.between(0.46, 0.56), 0.13
        wall = stage.dice.pick(((52, 48, 84), (62, 50, 80), (44, 54, 88)))
        stage.box(left - half, top, left + half, 0.85, wall)
        stage.fill(polygon((left - half - 0.04, top), (left, top - 0.14), (left + half + 0.04, top)), darker(wall, 0.4))
        for dx in (-0.08, 0.02):
            stage.box(left + dx, top + 0.06, left + dx + 0.06, top + 0.13, (255, 216, 110))
    stage.ridge(0.8, 0.05, (34, 52, 70), peaks=3)


def _city(stage: _Stage) -> None:
    stage.sky((176, 206, 228), (238, 228, 214))
    for count, top, colours in (
        (8, 0.18, ((176, 188, 206), (186, 192, 212))),
        (6, 0.34, ((204, 150, 130), (150, 164, 190), (214, 190, 150), (158, 180, 172))),
    ):
        for x in stage.along(count, 0.15):
            half, roof = stage.wide / count * 0.48, stage.dice.between(top, top + 0.2)
            wall = stage.dice.pick(colours)
            stage.box(x - half, roof, x + half, 0.85, wall)
            for row in range(4):
                for column in (-0.6, 0.0, 0.6):
                    cx, cy = x + column * half, roof + 0.06 + row * 0.11
                    stage.box(cx - half * 0.16, cy, cx + half * 0.16, cy + 0.055, lighter(wall, 0.5))
    stage.sky((186, 184, 186), (170, 168, 172), start=0.78, end=0.86)
    stage.sky((110, 112, 122), (96, 98, 108), start=0.86)
    for x in stage.along(5, 0.0):
        stage.box(x - 0.06, 0.93, x + 0.06, 0.945, (240, 226, 160))


def _home(stage: _Stage) -> None:
    wall = stage.dice.pick(((246, 222, 190), (230, 212, 216), (214, 226, 208)))
    stage.sky(wall, darker(wall, 0.06))
    for x in np.arange(0.06, stage.wide, 0.14):
        stage.line(polygon((x, 0), (x, 0.72)), darker(wall, 0.06), 0.02)
    x = stage.wide * stage.dice.between(0.15, 0.4)
    stage.box(x - 0.17, 0.08, x + 0.17, 0.46, (250, 250, 246))
    stage.box(x - 0.145, 0.105, x + 0.145, 0.435, (158, 214, 244))
    stage.line(polygon((x, 0.1), (x, 0.44)), (250, 250, 246), 0.02)
    stage.line(polygon((x - 0.15, 0.27), (x + 0.15, 0.27)), (250, 250, 246), 0.02)
    for side in (-1, 1):
        stage.fill(polygon((x + side * 0.21, 0.05), (x + side * 0.1, 0.05), (x + side * 0.16, 0.3),
                           (x + side * 0.14, 0.5), (x + side * 0.22, 0.5)), (222, 122, 110))  # fmt: skip
    x = stage.wide * stage.dice.between(0.65, 0.88)
    stage.box(x - 0.12, 0.12, x + 0.12, 0.32, (168, 120, 76))
    stage.box(x - 0.1, 0.14, x + 0.1, 0.3, (236, 232, 206))
    stage.fill(circle(x, 0.23, 0.05), stage.dice.pick(((230, 110, 90), (90, 160, 200), (240, 190, 80))))
    stage.box(0, 0.72, stage.wide, 0.75, (250, 244, 234))
    stage.sky((196, 146, 98), (170, 120, 78), start=0.75)
    sofa = stage.dice.pick(((110, 160, 160), (150, 130, 180), (190, 130, 110)))
    middle = stage.wide / 2
    stage.box(middle - 0.5, 0.5, middle + 0.5, 0.84, sofa)
    stage.fill(circle(middle - 0.5, 0.66, 0.1, 0.18), darker(sofa, 0.12))
    stage.fill(circle(middle + 0.5, 0.66, 0.1, 0.18), darker(sofa, 0.12))


def _forest(stage: _Stage) -> None:
    stage.sky((176, 212, 160), (130, 176, 124))
    for count, colour, width, foot in ((9, (120, 150, 112), 0.03, 0.7), (6, (104, 84, 64), 0.055, 0.8)):
        for x in stage.along(count):
            stage.box(x - width / 2, 0, x + width / 2, foot, colour)
    for x in stage.along(7):
        green = stage.dice.pick(((64, 122, 70), (78, 138, 76), (54, 108, 66)))
        stage.fill(circle(x, stage.dice.between(-0.05, 0.12), stage.dice.between(0.18, 0.27), 0.18), green)
    stage.ridge(0.8, 0.06, (92, 128, 66), peaks=5)
    for x in stage.along(4):
        y = stage.dice.between(0.82, 0.92)
        stage.box(x - 0.012, y, x + 0.012, y + 0.05, (244, 236, 216))
        stage.fill(arc(x, y, 0.045, 0.05, 180, 360, 9), (214, 66, 56))
    for x in stage.along(9, 0.5):
        y = stage.dice.between(0.84, 1.0)
        stage.fill(polygon((x - 0.03, y), (x - 0.015, y - 0.06), (x, y - 0.01), (x + 0.015, y - 0.06), (x + 0.03, y)),
                   (66, 104, 54))  # fmt: skip


def _desert(stage: _Stage) -> None:
    stage.sky((250, 190, 120), (255, 232, 178), end=0.75)
    stage.fill(circle(stage.wide * stage.dice.between(0.1, 0.9), 0.18, 0.1), (255, 246, 206))
    stage.ridge(0.6, 0.12, (226, 168, 100), peaks=2)
    stage.ridge(0.72, 0.1, (238, 188, 118), peaks=3)
    for x in stage.along(4):
        foot, size = stage.dice.between(0.66, 0.78), stage.dice.between(0.2, 0.32)
        green = (98, 150, 92)
        stage.line(polygon((x, foot), (x, foot - size)), green, 0.055)
        for side, low in ((-1, 0.4), (1, 0.55)):
            bend = x + side * 0.07
            stage.line(polygon((x, foot - low * size), (bend, foot - low * size), (bend, foot - (low + 0.3) * size)),
                       green, 0.038)  # fmt: skip
    stage.ridge(0.86, 0.05, (246, 204, 136), peaks=2)


def _mountains(stage: _Stage) -> None:
    stage.sky((126, 184, 232), (222, 238, 248))
    for x in stage.along(4, 0.25):
        top, half = stage.dice.between(0.1, 0.28), stage.dice.between(0.28, 0.42)
        rock = stage.dice.pick(((132, 138, 162), (120, 128, 150), (146, 148, 170)))
        stage.fill(polygon((x - half, 0.78), (x, top), (x + half, 0.78)), rock)
        share = 0.3
        y = top + (0.78 - top) * share
        stage.fill(polygon((x - half * share, y), (x, top), (x + half * share, y), (x + half * 0.1, y - 0.05),
                           (x - half * 0.02, y + 0.01), (x - half * 0.14, y - 0.05)), (250, 252, 255))  # fmt: skip
    stage.cloud(stage.wide * stage.dice.between(0.1, 0.9), 0.12, 0.07)
    stage.ridge(0.74, 0.08, (136, 184, 110), peaks=3)
    for x in stage.along(5):
        _fir(stage, x, stage.dice.between(0.74, 0.82), stage.dice.between(0.14, 0.2), (72, 128, 84))
    stage.ridge(0.86, 0.04, (156, 200, 112), peaks=3)


def _moon(stage: _Stage) -> None:
    stage.sky((34, 30, 66), (58, 50, 92))
    for star in stage.along(30, 0.5):
        stage.fill(
            circle(star, stage.dice.between(0.0, 0.62), stage.dice.between(0.004, 0.009), count=6), (255, 255, 250)
        )
    x = stage.wide * stage.dice.between(0.15, 0.85)
    stage.fill(circle(x, 0.2, 0.14, count=28), (70, 140, 220))
    for dx, dy, size in ((-0.05, -0.04, 0.05), (0.05, 0.03, 0.045), (-0.02, 0.08, 0.03)):
        stage.fill(circle(x + dx, 0.2 + dy, size, size * 0.7), (110, 190, 110))
    stage.ridge(0.64, 0.06, (186, 186, 194), peaks=4)
    for crater in stage.along(6, 0.4):
        y, size = stage.dice.between(0.7, 0.95), stage.dice.between(0.03, 0.07)
        stage.fill(circle(crater, y, size * 1.6, size * 0.6), (150, 150, 160))
        stage.fill(circle(crater, y + 0.012, size * 1.4, size * 0.45), (166, 166, 176))


_PAINTERS: dict[str, Callable[[_Stage], None]] = {
    "beach": _beach,
    "garden": _garden,
    "snow": _snow,
    "night": _night,
    "city": _city,
    "home": _home,
    "forest": _forest,
    "desert": _desert,
    "mountains": _mountains,
    "moon": _moon,
}
