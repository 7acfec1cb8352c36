"""Storyboards: a story's staging on paper, with skeletons, regions, names and words, before any picture is made."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image, ImageDraw

from multiid.errors import StoryError
from multiid.explain import draw_regions
from multiid.geometry import Size
from multiid.people.identity import Identity
from multiid.pipeline.preset_record import Defaults
from multiid.pipeline.scene import Person, Scene
from multiid.pipeline.staging import set_stage
from multiid.story.cutting import cut_around
from multiid.story.fonts import Cut, Typeface, find_typeface
from multiid.story.page import DrawnPage, PanelPicture, draw_page
from multiid.story.panels import StagedPanel, expected_faces
from multiid.story.script import Page, Story
from multiid.story.sheet import Sheet
from multiid.story.typesetting import Block, pixels, set_text

__all__ = ["BOARD_DPI", "draw_board"]

BOARD_DPI = 150
"""Pixels per inch of a board's sheets."""

_SHEET = Size(1754, 1240)  # A4, lying
_MARGIN = 60
_GAP = 30
_ROWS = 2
_MANY_ROWS = 3  # beside a page with more panels than two rows hold
_BESIDE = 2  # columns of frames beside a page
_ALONE = 4  # columns on a sheet of frames alone
_FRAME = 0.55  # of a cell's height
_STAGED = 640  # pixels of a staged panel's longer side
_INK, _FAINT, _WRONG, _PAPER = "black", "#666666", "#b00020", "white"
_TITLE, _HEAD, _NOTES = 14.0, 9.0, 7.5  # points
_LEAST = 4.0  # points; what then runs over is cut off
_SIDE_MULTIPLE = 8  # pixels per latent


def draw_board(
    story: Story, panels: Sequence[StagedPanel], *, defaults: Defaults, folder: Path
) -> tuple[list[Image.Image], list[str]]:
    """A board: for each page a sheet with its draft, lettered, and its panels with what is to be seen and heard.

    Args:
        story: the script.
        panels: all of them, staged, in reading order.
        defaults: of the preset, which say how thick limbs are drawn.
        folder: of the script, which a font file lies beside.

    Returns:
        The sheets, A4 lying at `BOARD_DPI`; and what is wrong with some page: words that do not fit, without which its
        draft stands there then, and insets that hide a face.
    """
    pen = _Pen(_typeface(story, panels, folder))
    pictures = {panel.number: _staging(panel, list(story.cast), defaults) for panel in panels}
    nouns = {role.name: role.noun for panel in panels for role in panel.roles}
    cast = "\n".join(["Cast", *(_who(name, nouns[name], story.cast[name].look) for name in nouns)])
    sheets: list[Image.Image] = []
    faults: list[str] = []
    for number, page in enumerate(story.pages, 1):
        of_page = [panel for panel in panels if panel.number.partition(".")[0] == str(number)]
        staged = [pictures[panel.number] for panel in of_page]
        draft, fault = _draft(story, page, number, staged, folder)
        of_draft = [*([] if fault is None else [fault]), *_hidden_faces(draft.sheet, staged, number)]
        faults += of_draft
        frames = [(panel, pictures[panel.number].image) for panel in of_page]
        title = f"{story.title}: page {number} of {len(story.pages)}"
        rows = _ROWS if len(frames) <= _BESIDE * _ROWS else _MANY_ROWS
        first, beside = _BESIDE * rows, (draft.image, cast, "\n".join(of_draft))
        sheets.append(_sheet(pen, title, beside, frames[:first], rows=rows, columns=_BESIDE))
        for start in range(first, len(frames), _ALONE * _ROWS):
            further = frames[start : start + _ALONE * _ROWS]
            sheets.append(_sheet(pen, f"{title}, continued", None, further, rows=_ROWS, columns=_ALONE))
    return sheets, faults


def _staging(panel: StagedPanel, cast: Sequence[str], defaults: Defaults) -> PanelPicture:
    """A panel as it is staged: everybody's region with their name, and all skeletons, large enough to be read.

    Everybody keeps the colour of their place in the cast.
    """
    scale = _STAGED / max(panel.size)
    size = Size(*(max(_SIDE_MULTIPLE, round(side * scale / _SIDE_MULTIPLE) * _SIDE_MULTIPLE) for side in panel.size))
    panel = replace(panel, size=size, pose=None if panel.pose is None else panel.pose.fitted(size))
    nobody = torch.zeros(1, 1, 1)
    people = [Person(Identity(role.name, role.noun, nobody, encoder="none"), place=role.place) for role in panel.roles]
    scene = Scene("", people, pose=panel.pose, width=size.width, height=size.height)
    stage = set_stage(scene, default_size=size, multiple=_SIDE_MULTIPLE, limb_width=defaults.limb_width)
    names = [role.name for role in panel.roles]
    drawn = draw_regions(stage.control, stage.regions, names, colours=[cast.index(name) for name in names])
    return PanelPicture(drawn.resize(size, Image.Resampling.LANCZOS), expected_faces(panel))


def _draft(
    story: Story, page: Page, number: int, pictures: Sequence[PanelPicture], folder: Path
) -> tuple[DrawnPage, str | None]:
    """The page with staging in place of pictures; and what is wrong with its words, which are left out then."""
    try:
        return draw_page(page, story.paper, pictures, number=number, folder=folder, language=story.language), None
    except StoryError as error:
        silent = [panel.model_copy(update={"captions": [], "dialogue": [], "sounds": []}) for panel in page.panels]
        mute = page.model_copy(update={"panels": silent})
        drawn = draw_page(mute, story.paper, pictures, number=number, folder=folder, language=story.language)
        return drawn, str(error)


def _hidden_faces(sheet: Sheet, pictures: Sequence[PanelPicture], number: int) -> Iterator[str]:
    """Whose faces insets lie on, as far as the staging tells."""
    for index, picture in enumerate(pictures):
        size = sheet.picture(index)
        shown = picture.seen.cut(cut_around(picture.seen, size.aspect), size)
        for name, face in shown.faces.items():
            if any(face.box.overlaps(box) for box in sheet.hidden(index)):
                yield f"page {number}, panel {index + 1}: an inset hides {name}'s face, or a part of it."


def _sheet(
    pen: "_Pen",
    title: str,
    page: tuple[Image.Image, str, str] | None,
    frames: Sequence[tuple[StagedPanel, Image.Image]],
    *,
    rows: int,
    columns: int,
) -> Image.Image:
    """A sheet of frames, beside a page's draft with the cast and what is wrong with it, if there is one."""
    sheet = Image.new("RGB", _SHEET, _PAPER)
    top = _MARGIN + pen.write(sheet, title, _MARGIN, _MARGIN, _SHEET.width - 2 * _MARGIN, _TITLE, cut="bold") + _GAP
    left, bottom = _MARGIN, _SHEET.height - _MARGIN
    if page is not None:
        draft, cast, fault = page
        wide = (_SHEET.width - 2 * _MARGIN - _GAP) // 2
        room = bottom - top - (pen.height(fault, wide, _NOTES) + _GAP if fault else 0)
        shown = _within(draft, Size(wide, room))
        sheet.paste(shown, (left, top))
        ImageDraw.Draw(sheet).rectangle((left, top, left + shown.width, top + shown.height), outline=_FAINT)
        below = top + shown.height + _GAP
        if fault:
            below += pen.write(sheet, fault, left, below, wide, _NOTES, fill=_WRONG) + _GAP
        if pen.height(cast, wide, _NOTES) <= bottom - below:
            pen.write(sheet, cast, left, below, wide, _NOTES)
        left += wide + _GAP
    width = (_SHEET.width - _MARGIN - left - (columns - 1) * _GAP) // columns
    height = (bottom - top - (rows - 1) * _GAP) // rows
    for index, (panel, picture) in enumerate(frames):
        row, column = divmod(index, columns)
        cell = Image.new("RGB", (width, height), _PAPER)
        _cell(pen, cell, panel, picture)
        sheet.paste(cell, (left + column * (width + _GAP), top + row * (height + _GAP)))
    return sheet


def _cell(pen: "_Pen", cell: Image.Image, panel: StagedPanel, picture: Image.Image) -> None:
    """A frame with its heading above and its notes beneath."""
    script = panel.panel
    how = [script.framing, script.template or script.pose or ("" if panel.pose is None else "a row")]
    how += [] if script.seed is None else [f"seed {script.seed}"]
    heading = ", ".join([panel.number, *filter(None, how)])
    top = pen.write(cell, heading, 0, 0, cell.width, _HEAD, cut="bold") + _GAP // 4
    shown = _within(picture, Size(cell.width, round(cell.height * _FRAME)))
    cell.paste(shown, (0, top))
    top += shown.height + _GAP // 3
    notes = "\n".join(_notes(panel))
    points = _NOTES
    while points > _LEAST and pen.height(notes, cell.width, points) > cell.height - top:
        points -= 0.5
    pen.write(cell, notes, 0, top, cell.width, points)


def _notes(panel: StagedPanel) -> Iterator[str]:
    """What is to be seen and heard, a line each."""
    yield panel.prompt
    for role in panel.roles:
        yield f"\u2022 {_who(role.name, role.noun, role.phrase)} (place {role.place})"
    script = panel.panel
    for caption in script.captions:
        yield f"Caption: {caption.text}"
    for line in script.dialogue:
        yield f"{line.who or 'Narration'}{'' if line.how in ('speech', 'narration') else f' ({line.how})'}: {line.text}"
    for sound in script.sounds:
        yield f"Sound: {sound.text}"


def _who(name: str, noun: str, phrase: str) -> str:
    return f"{name}: {noun} {phrase}".rstrip()


def _typeface(story: Story, panels: Sequence[StagedPanel], folder: Path) -> Typeface:
    """What notes are written in: a plain font, or the story's own where no other has all characters."""
    words = _all_words(story, panels)
    try:
        return find_typeface(None, text=words, language=story.language)
    except StoryError:
        return find_typeface(story.paper.lettering.font, folder=folder, text=words, language=story.language)


def _all_words(story: Story, panels: Sequence[StagedPanel]) -> str:
    return "\n".join([story.title, *(note for panel in panels for note in _notes(panel))])


def _within(image: Image.Image, room: Size) -> Image.Image:
    """The picture as large as there is room, never distorted."""
    scale = min(room.width / image.width, room.height / image.height)
    size = Size(max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS)


@dataclass(frozen=True)
class _Pen:
    """Writes notes."""

    typeface: Typeface

    def height(self, text: str, width: int, points: float) -> int:
        """How high a text is, in pixels."""
        return self._set(text, width, points, "regular").height

    def write(
        self,
        image: Image.Image,
        text: str,
        left: int,
        top: int,
        width: int,
        points: float,
        *,
        cut: Cut = "regular",
        fill: str = _INK,
    ) -> int:
        """Writes a text and gives its height, in pixels."""
        block = self._set(text, width, points, cut)
        block.draw(image, left, top, fill=fill)
        return block.height

    def _set(self, text: str, width: int, points: float, cut: Cut) -> Block:
        return set_text(text, self.typeface, pixels(points, BOARD_DPI), widest=width, cut=cut, align="start")
