"""The fonts of a story's words: one family, and others for the characters that it lacks."""

import difflib
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from PIL import ImageFont, features

from multiid.errors import StoryError
from multiid.story.fontfiles import (
    FONT_SUFFIXES,
    Cut,
    Face,
    bundled_faces,
    faces_in,
    installed_faces,
    select_cuts,
)
from multiid.story.writing import (
    clean,
    east_asian_region,
    ideographic,
    needs_shaping,
    script_name,
    script_of,
    units,
    visible,
)

__all__ = ["DEFAULT_FAMILY", "Cut", "FontRun", "Typeface", "find_typeface"]

DEFAULT_FAMILY = "DejaVu Sans"

_SHOWN = 8
"""Characters that an error names."""


@dataclass(frozen=True)
class FontRun:
    """A piece of a line that one face sets."""

    text: str
    face: Face


@dataclass(frozen=True)
class Typeface:
    """A family's faces, and where to look for characters that they lack: in DejaVu Sans, then among installed fonts."""

    family: str
    regular: Face
    bold: Face
    """The regular face where the family has no bold one."""
    oblique: Face
    """The regular face where the family has no slanted one."""
    language: str = "en"
    """The words' language (BCP 47): some letters look otherwise in another."""
    region: str = "SC"
    """Whose shapes of Chinese characters other fonts should have, as families are named: JP, KR, SC, TC or HK."""
    shaping: bool = field(default_factory=lambda: bool(features.check("raqm")))
    """Whether raqm lays the letters out; without, scripts that need it are refused."""

    def font(self, face: Face, size_px: float) -> ImageFont.FreeTypeFont:
        """A face in one size, the em's height in pixels."""
        return face.at(size_px, shaping=self.shaping)

    def runs(self, text: str, cut: Cut = "regular") -> tuple[FontRun, ...]:
        """The text in the order it is read, in pieces that one face sets each.

        Raises:
            StoryError: when no font at hand has a character, which is never set as a box, or it is a control character.
        """
        controls = [character for character in text if unicodedata.category(character) == "Cc"]
        if controls:
            raise StoryError(
                f"Expected words to set, but got the control characters {_named(controls)}: take them out."
            )
        own = self._faces(cut)[0]
        if own.has(visible(text)):
            return (FontRun(text, own),) if text else ()
        missing: list[str] = []
        found: list[tuple[str, Face | None]] = []
        for unit in units(text):
            shown = visible(unit)
            before = found[-1][1] if found else None
            # A blank belongs to the word before it, so that as few fonts as can be share a line.
            if not shown or (shown == " " and before is not None and before.has(" ")):
                found.append((unit, before))
                continue
            face = self._face(shown, cut)
            if face is None:
                missing.append(shown)
            found.append((unit, face))
        if missing:
            raise StoryError(_lacking(missing))
        return _merged(found, own)

    def require(self, text: str) -> None:
        """Make sure that every character of a text can be set, in every cut.

        Raises:
            StoryError: when no font at hand has a character, or a script needs raqm and it is not there.
        """
        text = clean(text)
        wanting = () if self.shaping else needs_shaping(text)
        if wanting:
            names = " and ".join(map(script_name, wanting))
            raise StoryError(
                f"Expected a Pillow that lays out {names} with raqm, but this one has its basic layout only: "
                "install FriBiDi (apt install libfribidi0, brew install fribidi) for Pillow's own wheel to find."
            )
        for line in text.split("\n"):
            self.runs(line)

    def _faces(self, cut: Cut) -> tuple[Face, ...]:
        own: dict[Cut, Face] = {"regular": self.regular, "bold": self.bold, "oblique": self.oblique}
        default = _default_cuts()
        return (own[cut], own["regular"], default[cut], default["regular"])

    def _face(self, unit: str, cut: Cut) -> Face | None:
        for face in self._faces(cut):
            if face.has(unit):
                return face
        east_asian = any(ideographic(character) or script_of(character) == "Hang" for character in unit)
        return _installed_face(unit, cut, self.region if east_asian else "")


def find_typeface(font: str | None, *, folder: Path | None = None, text: str = "", language: str = "en") -> Typeface:
    """The typeface that a story asks for.

    Args:
        font: A font file, or the name of an installed family; None for the DejaVu Sans that comes with matplotlib.
        folder: What a font file's path is relative to: the story's folder.
        text: All that will be set in it.
        language: The text's language, as BCP 47 names it.

    Raises:
        StoryError: when there is no such font, naming the nearest families, or when no font at hand has a character.
    """
    if font is None:
        family, cuts = DEFAULT_FAMILY, _default_cuts()
    elif _is_file(font, folder):
        family, cuts = _from_file((folder or Path()) / font)
    else:
        family, cuts = _from_family(font)
    typeface = Typeface(
        family, cuts["regular"], cuts["bold"], cuts["oblique"], language, east_asian_region(language, text)
    )
    typeface.require(text)
    return typeface


def _is_file(font: str, folder: Path | None) -> bool:
    return (
        Path(font).suffix.lower() in (*FONT_SUFFIXES, ".woff", ".woff2")
        or "/" in font
        or "\\" in font
        or ((folder or Path()) / font).is_file()
    )


def _from_file(path: Path) -> tuple[str, dict[Cut, Face]]:
    """A font file's faces: the file itself is the regular one, its family's others lie beside it."""
    if not path.is_file():
        raise StoryError(f"Expected a font file or an installed family, but there is no file {path}.")
    faces = faces_in(path)
    if not faces or not faces[0].readable:
        raise StoryError(
            f"Expected a font with outlines ({', '.join(FONT_SUFFIXES)}), but {path.name} cannot be read as one."
        )
    family = faces[0].family
    faces = tuple(face for face in faces if face.family == family)
    beside = [file for file in sorted(path.parent.iterdir()) if file.suffix.lower() in FONT_SUFFIXES and file != path]
    relatives = [face for file in beside for face in faces_in(file) if face.family == family]
    return family, select_cuts([*faces, *relatives], regular=faces[0] if len(faces) == 1 else None)


def _from_family(name: str) -> tuple[str, dict[Cut, Face]]:
    families = _families()
    known = {family.casefold(): family for family in families}
    family = known.get(name.casefold())
    if family is None:
        nearest = difflib.get_close_matches(name.casefold(), known, n=3, cutoff=0.4) or [DEFAULT_FAMILY.casefold()]
        raise StoryError(
            f"Expected a font file or an installed family, but got {name!r}; the nearest installed: "
            + ", ".join(known[near] for near in nearest)
            + "."
        )
    return family, _cuts(family)


@lru_cache(maxsize=1)
def _default_cuts() -> dict[Cut, Face]:
    return select_cuts([face for face in bundled_faces() if face.family == DEFAULT_FAMILY])


@lru_cache(maxsize=1)
def _families() -> dict[str, list[Face]]:
    """Every family at hand; where one is bundled and installed, the bundled one, which is the same anywhere."""
    families: defaultdict[str, list[Face]] = defaultdict(list)
    for face in bundled_faces():
        families[face.family].append(face)
    bundled = frozenset(families)
    for face in installed_faces():
        if face.family not in bundled:
            families[face.family].append(face)
    return dict(families)


@cache
def _cuts(family: str) -> dict[Cut, Face]:
    return select_cuts(_families()[family])


@lru_cache(maxsize=1024)
def _installed_face(characters: str, cut: Cut, region: str) -> Face | None:
    """The first installed family that has the characters: sans before serif, plain names before long ones."""

    def rank(family: str) -> tuple[bool, bool, bool, int, str]:
        words = family.split()
        return ("Mono" in words, region not in words, "Sans" not in words, len(family), family)

    for family in sorted(_families(), key=rank):
        cuts = _cuts(family)
        if cuts["regular"].has(characters):
            return cuts[cut] if cuts[cut].has(characters) else cuts["regular"]
    return None


def _merged(found: list[tuple[str, Face | None]], own: Face) -> tuple[FontRun, ...]:
    runs: list[FontRun] = []
    first = next((face for _, face in found if face is not None), own)
    for unit, face in found:
        if runs and face in (None, runs[-1].face):
            runs[-1] = FontRun(runs[-1].text + unit, runs[-1].face)
        else:
            runs.append(FontRun(unit, face or first))
    return tuple(runs)


def _lacking(missing: list[str]) -> str:
    scripts = dict.fromkeys(map(script_of, "".join(missing)))
    # Marks that many scripts share need no font of their own.
    names = dict.fromkeys(map(script_name, [script for script in scripts if script != "Zyyy"] or scripts))
    return (
        f"Expected a font for every character, but none here has {_named(missing)}: "
        f"the text needs a font for {' and '.join(names)}; "
        "give lettering.font a font file or a family that has them, or install one."
    )


def _named(characters: list[str]) -> str:
    distinct = list(dict.fromkeys("".join(characters)))
    named = ", ".join(f"{character!r} (U+{ord(character):04X})" for character in distinct[:_SHOWN])
    return named + (f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else "")
