"""The selftest on one sheet: who sat for it, a row of pictures for each way, and the verdict with its reasons."""

from collections.abc import Sequence

import PIL.Image
from PIL import ImageDraw

from multiid.mini.demo.paper import (
    CARD,
    FAINT,
    GAP,
    INK,
    LINE,
    PAPER,
    RIGHT,
    WRONG,
    fill,
    font,
    mount,
    person_colour,
    verdict_mark,
    write_lines,
)
from multiid.pipeline.preset_record import Preset
from multiid.selftest.run import Made, Session
from multiid.selftest.sitters import Sitter
from multiid.selftest.tasks import WAYS, Way
from multiid.selftest.verdict import Verdict, tally

__all__ = ["draw_sheet"]

_SIDE_TITLE = 190  # pixels, left of each row
_CELL = 400  # the width that a picture has
_HIGHEST = 340
_UNDER = 30  # below each picture, for who is seen
_PORTRAIT = 108
_FRAME = 3
_LINE_HEIGHT = 30


def draw_sheet(preset: Preset, session: Session, made: Sequence[Made], verdict: Verdict) -> PIL.Image.Image:
    """Everything on one sheet, to be read from top to bottom. Of several seeds the first is shown."""
    shown = [picture for picture in made if picture.task.seed == 0]
    counts = sorted({picture.task.people for picture in shown})
    width = _SIDE_TITLE + len(counts) * (_CELL + GAP) + GAP
    names = [sitter.name for sitter in session.sitters]
    strips = [
        _head(preset, verdict, width),
        _people(session.sitters, width),
        *(_row(way, [picture for picture in shown if picture.task.way == way], made, counts, names) for way in WAYS),
        _reasons(session, verdict, width),
    ]
    sheet = PIL.Image.new("RGB", (width, sum(strip.height for strip in strips)), PAPER)
    y = 0
    for strip in strips:
        sheet.paste(strip, (0, y))
        y += strip.height
    return sheet


def _head(preset: Preset, verdict: Verdict, width: int) -> PIL.Image.Image:
    strip = PIL.Image.new("RGB", (width, 112), PAPER)
    draw = ImageDraw.Draw(strip)
    verdict_mark(strip, (GAP + 20, 46), right=verdict.works, radius=20)
    word = "works as it should" if verdict.works else "does not work as it should"
    draw.text((GAP + 56, 24), f"The preset {preset.name} {word}", font=font(36), fill=INK)
    draw.text((GAP + 2, 82), preset.title, font=font(18), fill=FAINT)
    return strip


def _people(sitters: Sequence[Sitter], width: int) -> PIL.Image.Image:
    """A portrait of each person, framed in their colour."""
    strip = PIL.Image.new("RGB", (width, _PORTRAIT + 60), PAPER)
    draw = ImageDraw.Draw(strip)
    draw.text((GAP, 14), "People", font=font(22), fill=INK)
    for index, sitter in enumerate(sitters):
        portrait = sitter.given[0].convert("RGB")
        portrait.thumbnail((_PORTRAIT * 2, _PORTRAIT), PIL.Image.Resampling.LANCZOS)
        if portrait.height < _PORTRAIT:
            wide = round(portrait.width * _PORTRAIT / portrait.height)
            portrait = portrait.resize((wide, _PORTRAIT), PIL.Image.Resampling.LANCZOS)
        x = _SIDE_TITLE + index * (_CELL + GAP)
        fill(strip, (x - _FRAME, 17 - _FRAME, x + portrait.width + _FRAME, 17 + _PORTRAIT + _FRAME),
             person_colour(index), radius=13)  # fmt: skip
        mount(strip, portrait, (x, 17), frame=person_colour(index))
        draw.text((x + portrait.width + 14, 20), sitter.name.capitalize(), font=font(20), fill=INK)
        draw.text((x + portrait.width + 14, 48), sitter.noun, font=font(16), fill=FAINT)
    return strip


def _row(
    way: Way, shown: Sequence[Made], made: Sequence[Made], counts: Sequence[int], names: Sequence[str]
) -> PIL.Image.Image:
    """The pictures of one way, from one person to the most; beside them what was counted in all of its pictures."""
    cells = [_cell(next((p for p in shown if p.task.people == count), None), names) for count in counts]
    width = _SIDE_TITLE + len(counts) * (_CELL + GAP) + GAP
    strip = PIL.Image.new("RGB", (width, max(cell.height for cell in cells) + GAP), PAPER)
    draw = ImageDraw.Draw(strip)
    counted = tally([picture for picture in made if picture.task.way == way])
    draw.text((GAP, 0), f"Layout {way.layout}", font=font(22), fill=INK)
    draw.text((GAP, 30), f"masks {'on' if way.masked else 'off'}", font=font(18), fill=INK)
    lines = (
        f"{counted.found} of {counted.faces} faces found",
        f"{counted.right} the right person's",
        f"likeness {counted.likeness:.2f}",
        f"{counted.strangers} stranger{'' if counted.strangers == 1 else 's'}",
    )
    y = 64.0
    for line in lines:
        y = write_lines(draw, (GAP, y), line, width=_SIDE_TITLE - GAP - 10, size=16, colour=FAINT) + 4
    for index, cell in enumerate(cells):
        strip.paste(cell, (_SIDE_TITLE + index * (_CELL + GAP), 0))
    return strip


def _cell(made: Made | None, names: Sequence[str]) -> PIL.Image.Image:
    """A picture with every face framed in the colour of whom it resembles; beneath it how much it does."""
    if made is None or made.kept is None:
        cell = PIL.Image.new("RGB", (_CELL, 60), PAPER)
        text = made.unmade if made and made.unmade else "one person has nobody to be kept apart from"
        write_lines(ImageDraw.Draw(cell), (0, 4), text, width=_CELL, size=15, colour=FAINT)
        return cell
    image = made.kept.image
    scale = min(_CELL / image.width, _HIGHEST / image.height)
    size = (round(image.width * scale), round(image.height * scale))
    cell = PIL.Image.new("RGB", (_CELL + 2 * _FRAME, size[1] + _UNDER + 8), PAPER)
    mount(cell, image.resize(size, PIL.Image.Resampling.LANCZOS), (2, 2))
    draw = ImageDraw.Draw(cell)
    step = size[0] / len(made.sightings)
    for index, seen in enumerate(made.sightings):
        x = 2 + index * step
        right = seen is not None and seen.nearest == index
        verdict_mark(cell, (round(x) + 11, size[1] + 20), right=right, radius=9)
        text = f"{seen.similarities[index]:.2f}" if seen else "no face"
        if seen is not None and not right:
            text = f"{names[seen.nearest].capitalize()}"
        draw.text((x + 26, size[1] + 11), text, font=font(15), fill=RIGHT if right else WRONG)
        if seen is not None:
            left, top, far, bottom = (2 + value * scale for value in seen.box.expanded(0.4).corners)
            draw.rounded_rectangle(
                (left, top, far, bottom), radius=7, outline=person_colour(seen.nearest), width=_FRAME
            )
    return cell


def _reasons(session: Session, verdict: Verdict, width: int) -> PIL.Image.Image:
    lines = [
        f"{criterion.name}: {criterion.measured:.0%}, at least {criterion.required:.0%} required"
        for criterion in verdict.criteria
    ]
    recogniser = session.judge.recogniser or "nobody"
    notes = [
        *verdict.advice,
        f"Judged in the preset's own layout, {verdict.layout}, over {session.seeds} "
        f"seed{'' if session.seeds == 1 else 's'}. A face is right if the recogniser {recogniser}, which took no part "
        "in making the pictures, finds it nearer to its own person than to anybody else above. Numbers beneath "
        "pictures: that likeness, as a cosine; a name: whom the face resembles instead.",
    ]
    strip = PIL.Image.new("RGB", (width, 60 + _LINE_HEIGHT * len(lines) + 44 * len(notes) + GAP), PAPER)
    draw = ImageDraw.Draw(strip)
    fill(strip, (GAP, 0, width - GAP, strip.height - GAP), LINE, radius=15)
    fill(strip, (GAP + 1, 1, width - GAP - 1, strip.height - GAP - 1), CARD, radius=14)
    y = 22.0
    for criterion, line in zip(verdict.criteria, lines, strict=True):
        verdict_mark(strip, (2 * GAP + 6, round(y) + 10), right=criterion.met, radius=10)
        draw.text((2 * GAP + 28, y), line, font=font(18), fill=INK if criterion.met else WRONG)
        y += _LINE_HEIGHT
    y += 8
    for note in notes:
        y = write_lines(draw, (2 * GAP, y), note, width=width - 4 * GAP, size=16, colour=FAINT) + 2
    return strip
