"""Contact sheets of the world, for people to look at."""

from itertools import chain

import PIL.Image

from multiid.geometry import Size
from multiid.mini.world.dice import Dice
from multiid.mini.world.people import gather
from multiid.mini.world.portrait import draw_portrait
from multiid.mini.world.scene import cast_pose, draw_scene
from multiid.poses.templates import load_template, template_names

__all__ = ["draw_people_sheet", "draw_scenes_sheet"]

_PAPER = (250, 248, 244)
_GAP = 6
_PORTRAIT = 128
_PHOTOS = 4
_PEOPLE_PER_ROW = 2
_SCENE_HEIGHT = 240
_WIDEST = 1600  # pixels of a row of scenes


def draw_people_sheet(people: int, *, seed: int = 0) -> PIL.Image.Image:
    """That many people, four portraits of each."""
    dice = Dice("sheet", seed)
    rows = [
        [draw_portrait(person, seed=dice.seed(), size=_PORTRAIT).picture for _ in range(_PHOTOS)]
        for person in gather(people, seed=seed)
    ]
    return _laid_out(
        [list(chain.from_iterable(rows[i : i + _PEOPLE_PER_ROW])) for i in range(0, len(rows), _PEOPLE_PER_ROW)]
    )


def draw_scenes_sheet(*, seed: int = 0) -> PIL.Image.Image:
    """A scene for each of the library's templates."""
    dice = Dice("scenes sheet", seed)
    rows: list[list[PIL.Image.Image]] = [[]]
    for name in template_names():
        pose = load_template(name).pose()
        size = Size(round(_SCENE_HEIGHT * pose.size.aspect), _SCENE_HEIGHT)
        if sum(picture.width + _GAP for picture in rows[-1]) + size.width > _WIDEST:
            rows.append([])
        rows[-1].append(draw_scene(pose, cast_pose(pose, seed=dice.seed()), seed=dice.seed(), size=size).picture)
    return _laid_out(rows)


def _laid_out(rows: list[list[PIL.Image.Image]]) -> PIL.Image.Image:
    """Pictures in rows, all of one height, with a gap between them."""
    height = rows[0][0].height + _GAP
    width = max(sum(picture.width + _GAP for picture in row) for row in rows)
    sheet = PIL.Image.new("RGB", (width + _GAP, height * len(rows) + _GAP), _PAPER)
    for index, row in enumerate(rows):
        x = _GAP
        for picture in row:
            sheet.paste(picture, (x, index * height + _GAP))
            x += picture.width + _GAP
    return sheet
