"""A whole page: pictures cut to their panels around the faces, lettered, framed, with insets on top."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image, ImageColor, ImageDraw

from multiid.geometry import Box, Size
from multiid.story.cutting import cut_around
from multiid.story.layout import lay_out
from multiid.story.lettering import letter_panel
from multiid.story.placeholder import draw_placeholder
from multiid.story.script import Page, Panel, Paper
from multiid.story.seen import Seen
from multiid.story.sheet import Sheet

__all__ = ["DrawnPage", "DrawnPanel", "PanelPicture", "draw_page"]

_LINE = "black"


@dataclass(frozen=True)
class PanelPicture:
    """What was composed for a panel.

    Attributes:
        image: the picture, of any size.
        seen: the faces in it, in its own pixels.
        recipe: its recipe as JSON, which the panel's file keeps.

    Raises:
        ValueError: when the faces are those of a picture of another size.
    """

    image: Image.Image
    seen: Seen
    recipe: str | None = None

    def __post_init__(self) -> None:
        if self.image.size != self.seen.size:
            raise ValueError(f"Expected faces seen in {self.image.size} pixels, but got {tuple(self.seen.size)}.")


@dataclass(frozen=True)
class DrawnPanel:
    """A panel by itself as it is on its page: cut and lettered, without its border.

    Attributes:
        image: RGB.
        recipe: the picture's, as JSON.
    """

    image: Image.Image
    recipe: str | None


@dataclass(frozen=True)
class DrawnPage:
    """A page as a picture.

    Attributes:
        image: RGB, with its bleed.
        sheet: where everything is.
        panels: by number, such as "3.2"; those without a picture are left out.
    """

    image: Image.Image
    sheet: Sheet
    panels: Mapping[str, DrawnPanel]


def draw_page(
    page: Page,
    paper: Paper,
    pictures: Sequence[PanelPicture | None],
    *,
    number: int,
    folder: Path | None = None,
    language: str = "en",
) -> DrawnPage:
    """Draws a page from its panels' pictures.

    Args:
        pictures: one per panel, in reading order; None is drawn as a hatched field with the panel's number, so that
            unfinished stories can be looked at.
        number: of the page, from 1; it names panels in errors.
        folder: that the paper's font file is relative to.
        language: of the words, as BCP 47 names it.

    Raises:
        StoryError: when the layout does not fit the paper, or words do not fit a panel.
        ValueError: when there are not as many pictures as panels.
    """
    if len(pictures) != len(page.panels):
        raise ValueError(f"Expected a picture or None for each of {len(page.panels)} panels, but got {len(pictures)}.")
    background = ImageColor.getrgb(paper.background)
    sheet = lay_out(page, paper, where=f"page {number}")
    image = Image.new("RGB", sheet.size, background)
    draw = ImageDraw.Draw(image)
    drawn: dict[str, DrawnPanel] = {}
    for index, (panel, picture) in enumerate(zip(page.panels, pictures, strict=True)):
        name = f"{number}.{index + 1}"
        size = sheet.picture(index)
        if picture is None:
            cut, seen = draw_placeholder(size, name, dpi=sheet.dpi), Seen(size)
        else:
            cut, seen = _cut(picture, size)
        lettered = _lettered(
            cut,
            seen,
            panel,
            paper,
            part=sheet.for_words(index),
            hidden=sheet.hidden(index),
            where=f"page {number}, panel {index + 1}",
            folder=folder,
            language=language,
        )
        if picture is not None:
            drawn[name] = DrawnPanel(lettered, picture.recipe)
        if sheet.is_inset(index):
            _fill(draw, sheet.with_gap(index), background)
        _fill(draw, sheet.panels[index], _LINE)
        inside = sheet.inside(index)
        image.paste(lettered, (round(inside.left), round(inside.top)))
    return DrawnPage(image, sheet, drawn)


def _cut(picture: PanelPicture, size: Size) -> tuple[Image.Image, Seen]:
    part = cut_around(picture.seen, size.aspect)
    image = picture.image.convert("RGB").resize(size, Image.Resampling.LANCZOS, box=part.corners)
    return image, picture.seen.cut(part, size)


def _lettered(
    image: Image.Image,
    seen: Seen,
    panel: Panel,
    paper: Paper,
    *,
    part: Box,
    hidden: tuple[Box, ...],
    where: str,
    folder: Path | None,
    language: str,
) -> Image.Image:
    """The panel with its words: on a part of it, clear of the cut, and where insets hide nothing."""
    if not (panel.captions or panel.dialogue or panel.sounds):
        return image
    left, top, right, bottom = map(round, part.corners)
    lettered = letter_panel(
        image.crop((left, top, right, bottom)),
        panel,
        replace(seen, others=(*seen.others, *hidden)).cut(part, Size(right - left, bottom - top)),
        lettering=paper.lettering,
        dpi=paper.dpi,
        reading=paper.reading,
        where=where,
        folder=folder,
        language=language,
    )
    whole = image.copy()
    whole.paste(lettered, (left, top))
    return whole


def _fill(draw: ImageDraw.ImageDraw, box: Box, colour: str | tuple[int, ...]) -> None:
    """Fills a box; Pillow counts the last pixels in."""
    left, top, right, bottom = map(round, box.corners)
    draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)
