"""Text set in lines: broken where it may be, evened out, shaped, measured and drawn."""

import math
from collections.abc import Callable, Iterator

from multiid.errors import StoryError
from multiid.story.block import Align, Block, stack_lines
from multiid.story.breaking import Piece, pieces
from multiid.story.evenlines import EvenLines, Form, Measured
from multiid.story.fonts import Cut, Typeface
from multiid.story.laying import LaidLine, lay_line, measure_line
from multiid.story.writing import clean, runs_leftwards

__all__ = ["Align", "Block", "Form", "fit", "pixels", "set_text", "shapes", "sizes"]

_STEP = 0.975
"""From one size of the ladder to the next: differences that nobody sees."""

_NARROWEST = 0.5
"""Width by height of the narrowest shape on offer, where there are wider ones."""


def pixels(points: float, dpi: float) -> float:
    """A length in points, of which 72 make an inch, as pixels."""
    return points * dpi / 72


def sizes(largest_px: float, smallest_px: float) -> tuple[float, ...]:
    """The sizes that `fit` tries, falling by 2.5 % from the largest; the smallest is the last."""
    if not 0 < smallest_px <= largest_px:
        raise ValueError(f"Expected 0 < smallest_px <= largest_px, but got {smallest_px} and {largest_px}.")
    steps = math.floor(math.log(smallest_px / largest_px) / math.log(_STEP))
    ladder = [largest_px * _STEP**step for step in range(steps + 1)]
    return (*(size for size in ladder if size > smallest_px), smallest_px)


def set_text(
    text: str,
    typeface: Typeface,
    size_px: float,
    *,
    widest: float,
    cut: Cut = "regular",
    align: Align = "center",
    form: Form = "box",
) -> Block:
    """Set a text in as few lines as a width allows, and even them out.

    Args:
        text: Its line breaks are kept.
        typeface: The fonts.
        size_px: Height of the em.
        widest: The block is not wider, in pixels.
        cut: Which of the family's faces.
        align: Where shorter lines stand.
        form: Lines as even as can be, or longest in the middle.

    Raises:
        StoryError: when the text is blank, has a word wider than `widest` or a character that no font has, or needs
            shaping that is not there.
    """
    block = next(_blocks(text, typeface, size_px, widest=widest, cut=cut, align=align, form=form), None)
    if block is None:
        word = max(clean(text).split(), key=len)
        raise StoryError(
            f"Expected every word to fit into {widest:.0f} pixels, but {word!r} is wider at {size_px:.1f} pixels; "
            "words are never broken but at hyphens: give it more room, a smaller size, or a soft hyphen (U+00AD)."
        )
    return block


def shapes(
    text: str,
    typeface: Typeface,
    size_px: float,
    *,
    widest: float = math.inf,
    cut: Cut = "regular",
    align: Align = "center",
    form: Form = "lens",
) -> tuple[Block, ...]:
    """A text set in every number of lines that gives another shape, from wide to tall.

    Args:
        text: Its line breaks are kept.
        typeface: The fonts.
        size_px: Height of the em.
        widest: No block is wider, in pixels.
        cut: Which of the family's faces.
        align: Where shorter lines stand.
        form: Lines as even as can be, or longest in the middle.

    Returns:
        Blocks, each narrower than the one before it, down to half as wide as tall; none where a word is too wide.

    Raises:
        StoryError: when the text is blank or has a character that no font has, or needs shaping that is not there.
    """
    found: list[Block] = []
    for block in _blocks(text, typeface, size_px, widest=widest, cut=cut, align=align, form=form):
        if found and block.width < _NARROWEST * block.height:
            break
        if not found or block.width < found[-1].width:
            found.append(block)
    return tuple(found)


def fit(
    text: str,
    typeface: Typeface,
    *,
    largest_px: float,
    smallest_px: float,
    fits: Callable[[Block], bool],
    widest: float = math.inf,
    cut: Cut = "regular",
    align: Align = "center",
    form: Form = "lens",
) -> Block | None:
    """The text in the largest size that has a shape that fits.

    Args:
        text: Its line breaks are kept.
        typeface: The fonts.
        largest_px: The first size tried: height of the em.
        smallest_px: The last one.
        fits: Whether a block has room; it is asked about wide shapes before tall ones.
        widest: No block is wider, in pixels.
        cut: Which of the family's faces.
        align: Where shorter lines stand.
        form: Lines as even as can be, or longest in the middle.

    Returns:
        The block, or None where the text does not fit even in the smallest size.

    Raises:
        StoryError: as `shapes`.
    """
    for size_px in sizes(largest_px, smallest_px):
        for block in shapes(text, typeface, size_px, widest=widest, cut=cut, align=align, form=form):
            if fits(block):
                return block
    return None


def _blocks(
    text: str, typeface: Typeface, size_px: float, *, widest: float, cut: Cut, align: Align, form: Form
) -> Iterator[Block]:
    """The text in each number of lines that there can be, from few to many."""
    cleaned = clean(text)
    if not cleaned.strip():
        raise StoryError(f"Expected words to set, but got {text!r}.")
    typeface.require(cleaned)
    parts: list[tuple[Piece, bool]] = []
    paragraphs: set[int] = set()
    for paragraph in cleaned.split("\n"):
        leftwards = runs_leftwards(paragraph)
        parts += [(piece, leftwards) for piece in pieces(paragraph)]
        paragraphs.add(len(parts))

    def lay(words: str, leftwards: bool) -> LaidLine:
        return lay_line(words, typeface, size_px, cut=cut, leftwards=leftwards)

    def advance(words: str, leftwards: bool) -> float:
        return measure_line(words, typeface, size_px, cut=cut, leftwards=leftwards) if words else 0.0

    measured = [
        Measured(
            width=(width := advance(piece.text, leftwards)),
            gap=advance(piece.gap, leftwards),
            hyphen=advance(piece.text + piece.hyphen, leftwards) - width if piece.hyphen else 0.0,
            inside_word=piece.inside_word,
            ends_paragraph=number in paragraphs,
        )
        for number, (piece, leftwards) in enumerate(parts, 1)
    ]
    even = EvenLines(measured, widest=widest)
    for count in even.counts:
        lines: list[tuple[LaidLine, bool]] = []
        first = 0
        ends = even.ends(count, form=form)
        for end in ends:
            line, leftwards = parts[first:end], parts[first][1]
            words = "".join(piece.text + piece.gap for piece, _ in line[:-1]) + line[-1][0].text + line[-1][0].hyphen
            lines.append((lay(words, leftwards), leftwards))
            first = end
        block = stack_lines(cleaned, size_px, lines, align, unevenness=even.unevenness(ends, form=form))
        if block.width <= widest:  # ink reaches beyond what lines are measured by, in slanted faces above all
            yield block
