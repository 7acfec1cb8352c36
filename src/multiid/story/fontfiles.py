"""Font files: the faces in them, the characters each one has, and those that are installed on this machine."""

from bisect import bisect_right
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from fontTools.ttLib import TTFont
from PIL import ImageFont

__all__ = ["FONT_SUFFIXES", "Cut", "Face", "Traits", "bundled_faces", "faces_in", "installed_faces", "select_cuts"]

Cut = Literal["regular", "bold", "oblique"]
"""Which face of a family: upright, heavy or slanted."""

FONT_SUFFIXES = (".ttf", ".otf", ".ttc", ".otc")

_SLANTED = 1 << 0 | 1 << 9
"""The bits of OS/2's fsSelection for italic and oblique."""

_MOST_FACES = 64
"""Of one collection: far more than any has, so that a damaged one ends."""

_NO_LETTERS = ("lastresort", "last resort", "adobe blank", "adobe notdef")
"""Families whose glyphs are boxes or nothing: they claim every character there is."""


@dataclass(frozen=True)
class Face:
    """One face of a font file."""

    path: Path
    index: int = 0
    """Which face of a collection."""
    axes: tuple[float, ...] = ()
    """A variable font's coordinates, in its own order of axes; none for other fonts."""

    @property
    def family(self) -> str:
        """The family that the file names, such as "DejaVu Sans"."""
        return self.at(16, shaping=False).getname()[0] or self.path.stem

    @property
    def traits(self) -> "Traits":
        """How heavy, wide and slanted it is."""
        return _traits(self.path, self.index)

    def at(self, size_px: float, *, shaping: bool) -> ImageFont.FreeTypeFont:
        """The face in one size, the em's height in pixels.

        Args:
            size_px: Height of the em.
            shaping: Whether raqm lays the letters out; Pillow's basic layout otherwise.

        Raises:
            OSError: when the file is not a font, or has no such face or size.
        """
        return _font(self, size_px, shaping)

    @property
    def readable(self) -> bool:
        """Whether it says which characters it has, which a damaged one does not."""
        return len(_stretches(self.path, self.index)[0]) > 1

    def has(self, characters: str) -> bool:
        """Whether it has a glyph for every one of the characters."""
        starts, ends = _stretches(self.path, self.index)
        return all(code <= ends[bisect_right(starts, code) - 1] for code in map(ord, characters))


@dataclass(frozen=True)
class Traits:
    """What tells the faces of a family apart."""

    weight: int
    """100 to 900; 400 is regular and 700 is bold."""
    width: int
    """1 to 9; 5 is normal."""
    slanted: bool
    axes: tuple[tuple[str, float, float, float], ...]
    """Of a variable font: tag, least, default and greatest."""
    scalable: bool
    """Whether it has outlines rather than pictures of one size."""


def faces_in(path: Path) -> tuple[Face, ...]:
    """The faces of a font file, none where it cannot be read as one."""
    faces: list[Face] = []
    for index in range(_MOST_FACES if path.suffix.lower() in (".ttc", ".otc") else 1):
        face = Face(path, index)
        try:
            face.at(16, shaping=False)
            usable = face.traits.scalable
        except OSError:
            break
        if usable and not face.family.lower().startswith(_NO_LETTERS):
            faces.append(face)
    return tuple(faces)


@lru_cache(maxsize=1)
def bundled_faces() -> tuple[Face, ...]:
    """The DejaVu fonts that matplotlib installs: the same on every machine."""
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    return _all_faces(folder.glob("DejaVu*.ttf"))


@lru_cache(maxsize=1)
def installed_faces() -> tuple[Face, ...]:
    """The faces installed on this machine, in the order of their paths; found when first asked for."""
    from matplotlib import font_manager

    return _all_faces(map(Path, font_manager.findSystemFonts()))


def select_cuts(faces: Sequence[Face], *, regular: Face | None = None) -> dict[Cut, Face]:
    """The upright, heavy and slanted face among a family's, the nearest to 400 and 700.

    Args:
        faces: The family's faces, at least one.
        regular: The upright one, where it is given.

    Returns:
        A face for each cut; the regular one where the family has no other.
    """
    if regular is None:
        regular = min(faces, key=lambda face: (face.traits.slanted, *_distance(face, 400, 5)))
    width = regular.traits.width
    heavy = [face for face in faces if not face.traits.slanted and _reaches(face, 600)]
    slanted = [face for face in faces if face.traits.slanted]
    bold = min(heavy, key=lambda face: _distance(face, 700, width), default=regular)
    oblique = min(slanted, key=lambda face: _distance(face, 400, width), default=regular)
    return {"regular": _at_axes(regular, 400), "bold": _at_axes(bold, 700), "oblique": _at_axes(oblique, 400)}


def _all_faces(paths: Iterable[Path]) -> tuple[Face, ...]:
    return tuple(face for path in sorted(set(paths)) for face in faces_in(path))


def _distance(face: Face, weight: int, width: int) -> tuple[int, int, Path, int]:
    own = 0 if _reaches(face, weight) and face.traits.axes else abs(face.traits.weight - weight)
    return (abs(face.traits.width - width), own, face.path, face.index)


def _reaches(face: Face, weight: int) -> bool:
    return face.traits.weight >= weight or any(tag == "wght" and most >= weight for tag, _, _, most in face.traits.axes)


def _at_axes(face: Face, weight: int) -> Face:
    """The face with its weight axis set: a variable font's default may be its thinnest."""
    coordinates = tuple(
        float(min(max(weight, least), most)) if tag == "wght" else default
        for tag, least, default, most in face.traits.axes
    )
    return Face(face.path, face.index, coordinates)


@lru_cache(maxsize=64)
def _font(face: Face, size_px: float, shaping: bool) -> ImageFont.FreeTypeFont:
    engine = ImageFont.Layout.RAQM if shaping else ImageFont.Layout.BASIC
    font = ImageFont.truetype(face.path, size_px, index=face.index, layout_engine=engine)
    if face.axes:
        font.set_variation_by_axes(list(face.axes))
    return font


@contextmanager
def _opened(path: Path, index: int) -> Generator[Any]:
    """A font's tables, read when asked for.

    Raises:
        OSError: when the file is no font or a damaged one.
    """
    try:
        with path.open("rb") as file, TTFont(file, fontNumber=index, lazy=True) as opened:
            font: Any = opened
            # FreeType draws nothing for the letters that a file cut short has lost.
            if max(table.offset + table.length for table in font.reader.tables.values()) > path.stat().st_size:
                raise OSError("it ends too early")
            yield font
    except Exception as error:  # what fontTools raises on damaged tables is of every kind
        raise OSError(f"{path.name} is no font, or a damaged one: {error}") from error


@cache
def _stretches(path: Path, index: int) -> tuple[list[int], list[int]]:
    """The characters that a face has, as the first and last of each stretch without a hole; an empty one leads."""
    codes: list[int] = []
    with suppress(OSError), _opened(path, index) as font:
        # Glyphs numbered rather than named: reading the names of a large font takes a hundred times as long.
        font.setGlyphOrder([".notdef", *map(str, range(1, font["maxp"].numGlyphs))])
        table: dict[int, str] = font.getBestCmap() or {}
        codes = sorted(code for code, glyph in table.items() if glyph != ".notdef")
    starts = [code for before, code in pairwise([-2, *codes]) if code != before + 1]
    ends = [code for code, after in pairwise([*codes, -2]) if after != code + 1]
    return [-1, *starts], [-1, *ends]


@cache
def _traits(path: Path, index: int) -> Traits:
    with _opened(path, index) as font:
        table = font.get("OS/2")
        # Read only where it is needed: fontTools logs odd dates in it.
        head = font["head"].macStyle if table is None else 0
        axes = font["fvar"].axes if "fvar" in font else ()
        return Traits(
            weight=table.usWeightClass if table is not None else 700 if head & 1 else 400,
            width=table.usWidthClass if table is not None else 5,
            slanted=bool(head & 2 if table is None else table.fsSelection & _SLANTED),
            axes=tuple((axis.axisTag, axis.minValue, axis.defaultValue, axis.maxValue) for axis in axes),
            scalable=any(tag in font for tag in ("glyf", "CFF ", "CFF2")),
        )
