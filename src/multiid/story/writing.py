"""Writing systems: which letters belong together, which way they run, and what has to be shaped."""

import re
import unicodedata
from itertools import pairwise

from fontTools import unicodedata as scripts

__all__ = [
    "clean",
    "clusters",
    "east_asian_region",
    "ideographic",
    "invisible",
    "needs_shaping",
    "runs_leftwards",
    "script_name",
    "script_of",
    "units",
    "visible",
]

_LINE_ENDS = re.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")

_PLAIN = frozenset(
    (
        "Latn", "Grek", "Cyrl", "Armn", "Geor", "Copt", "Goth", "Runr", "Ogam", "Cher", "Cans", "Ethi", "Tfng", "Brai",
        "Hani", "Hira", "Kana", "Hang", "Bopo", "Yiii", "Zyyy", "Zinh", "Zzzz",
    )
)  # fmt: skip
"""Scripts whose letters stand side by side unchanged, from left to right; all others are shaped."""

_NAMES = {"Hira": "Japanese", "Kana": "Japanese", "Hani": "Chinese characters", "Hang": "Korean", "Zyyy": "symbols"}

_IDEOGRAPHIC = frozenset(("Hani", "Hira", "Kana", "Bopo", "Yiii"))

_INVISIBLE = frozenset(
    chr(code)
    for first, last in (
        (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x180B, 0x180F), (0x200B, 0x200F), (0x202A, 0x202E),
        (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xE0100, 0xE01EF),
    )
    for code in range(first, last + 1)
)  # fmt: skip
"""Characters that steer how others are set and have no glyph (Unicode's Default_Ignorable_Code_Point, in the main)."""

_JOINER = "\u200d"
_NOTHING = dict.fromkeys(map(ord, _INVISIBLE))


def clean(text: str) -> str:
    """The text in composed form (NFC), each line break one "\\n", without blanks around lines or empty lines around it.

    Tabs become spaces.
    """
    lines = _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", text)).replace("\t", " ").split("\n")
    return "\n".join(line.strip(" \u3000\u200b\ufeff") for line in lines).strip("\n")


def invisible(character: str) -> bool:
    """Whether it steers how others are set and has no glyph of its own."""
    return character in _INVISIBLE


def visible(text: str) -> str:
    """The text without characters that have no glyph of their own."""
    return text.translate(_NOTHING)


def ideographic(character: str) -> bool:
    """Whether it is of Chinese or Japanese writing, whose marks and wide forms are shared by several scripts."""
    return (
        script_of(character) in _IDEOGRAPHIC or "\u3000" <= character <= "\u30ff" or "\uff01" <= character <= "\uff9f"
    )


def script_of(character: str) -> str:
    """The four letters of the character's script (ISO 15924), such as "Latn"; "Zyyy" where many share it."""
    return scripts.script(character)


def script_name(script: str) -> str:
    """What people call a script, such as "Devanagari"."""
    return _NAMES.get(script, scripts.script_name(script).replace("_", " "))


def needs_shaping(text: str) -> tuple[str, ...]:
    """The scripts in a text whose letters change with their neighbours or run from right to left, in order."""
    return tuple(dict.fromkeys(script for script in map(script_of, text) if script not in _PLAIN))


def east_asian_region(language: str, text: str) -> str:
    """Whose shapes of Chinese characters a text wants, as font families are named: JP, KR, SC, TC or HK.

    Args:
        language: As BCP 47 names it; one of East Asia decides.
        text: Its own letters decide otherwise: kana are Japanese, hangul Korean.
    """
    tags = language.lower().split("-")
    by_language = {"ja": "JP", "ko": "KR", "yue": "HK"}.get(tags[0])
    if tags[0] == "zh":
        by_language = "HK" if "hk" in tags else "TC" if {"hant", "tw", "mo"} & set(tags) else "SC"
    if by_language is not None:
        return by_language
    found = {script_of(character) for character in text}
    return "JP" if found & {"Hira", "Kana"} else "KR" if "Hang" in found else "SC"


def runs_leftwards(text: str) -> bool:
    """Whether a line runs from right to left: its first letter says so (rules P2 and P3 of Unicode's annex 9)."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in ("L", "R", "AL"):
            return kind != "L"
    return False


def clusters(text: str) -> tuple[str, ...]:
    """The text in pieces that are never parted: a letter with the marks on it, symbols joined to one."""
    found: list[str] = []
    for character in text:
        mark = unicodedata.category(character).startswith("M") or invisible(character)
        if found and (mark or found[-1].endswith(_JOINER)):
            found[-1] += character
        else:
            found.append(character)
    return tuple(found)


def units(text: str) -> tuple[str, ...]:
    """The text in pieces that one font must set alone: clusters, and whole words of scripts that are shaped."""
    parts = clusters(text)
    if not parts:
        return ()
    found = [parts[0]]
    for before, part in pairwise(parts):
        script = script_of(part[0])
        if script not in _PLAIN and script == script_of(before[0]):
            found[-1] += part
        else:
            found.append(part)
    return tuple(found)
