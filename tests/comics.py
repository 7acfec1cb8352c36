"""Panels' pictures for tests of pages: drawn by the miniature's world, with the truth about faces."""

from multiid.geometry import Size
from multiid.mini.world.groups import make_group
from multiid.mini.world.scene import cast_pose, draw_scene
from multiid.story.layout import lay_out, picture_size
from multiid.story.page import PanelPicture
from multiid.story.script import Page, Paper
from multiid.story.seen import Seen, SeenFace

__all__ = ["NAMES", "drawn_panel", "drawn_panels"]

NAMES = ("ada", "ben", "cleo")


def drawn_panel(count: int, seed: int, size: Size) -> PanelPicture:
    """A picture of 1 to 3 people, who are called as `NAMES` from the left."""
    pose = make_group(count, seed).fitted(size)
    scene = draw_scene(pose, cast_pose(pose, seed=seed), seed=seed, size=size)
    faces = {name: person.face for name, person in zip(NAMES, scene.people, strict=False) if person.face is not None}
    seen = Seen(size, {name: SeenFace.of(face) for name, face in faces.items()})
    return PanelPicture(scene.picture, seen, recipe=f'{{"seed": {seed}}}')


def drawn_panels(page: Page, paper: Paper, *, area: int = 192 * 192) -> list[PanelPicture]:
    """A picture for each panel of a page, of its shape, of one, two and three people in turn."""
    sheet = lay_out(page, paper)
    sizes = [picture_size(sheet.inside(index), area=area, multiple=8) for index in range(len(page.panels))]
    return [drawn_panel(1 + index % len(NAMES), 40 + index, size) for index, size in enumerate(sizes)]
