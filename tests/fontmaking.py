"""Small fonts made on the spot: each letter a full square, so that a test knows what is drawn."""

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib.tables.TupleVariation import TupleVariation

EM = 1000


def make_font(
    path: Path,
    *,
    family: str = "Tiny",
    style: str = "Regular",
    characters: str = "AB ",
    weight: int = 400,
    slanted: bool = False,
    weights: tuple[int, int, int] | None = None,
) -> Path:
    """Write a font whose letters are squares of half an em on the baseline, 600 units wide.

    Args:
        path: Where to.
        family: The family's name.
        style: The face's name.
        characters: What it has glyphs for; blanks are empty.
        weight: As OS/2 says it.
        slanted: Whether it calls itself italic; the squares stand upright all the same.
        weights: Least, default and greatest of a weight axis, which makes it variable: bolder squares are wider.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    names = [".notdef", *(f"u{ord(character):04X}" for character in characters)]
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(character): name for character, name in zip(characters, names[1:], strict=True)})
    blank = {name for character, name in zip(characters, names[1:], strict=True) if character.isspace()}
    builder.setupGlyf({name: _square(0 if name in blank else 500) for name in names})
    builder.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": style})
    builder.setupOS2(usWeightClass=weight, fsSelection=1 if slanted else 64, sTypoAscender=800, sTypoDescender=-200)
    builder.setupPost()
    if weights is not None:
        builder.setupFvar([("wght", *weights, "Weight")], [])
        wider = [(0, 0), (0, 0), (100, 0), (100, 0), (0, 0), (600, 0), (0, 0), (0, 0)]
        builder.setupGvar({name: [TupleVariation({"wght": (0, 1, 1)}, wider)] for name in names if name not in blank})
    builder.save(path)
    return path


def _square(side: int):
    pen = TTGlyphPen(None)
    if side:
        pen.moveTo((0, 0))
        pen.lineTo((0, side))
        pen.lineTo((side, side))
        pen.lineTo((side, 0))
        pen.closePath()
    return pen.glyph()
