"""Tales: the same people in several pictures, as the panels of a story, of people on whom nothing was trained."""

from collections.abc import Mapping
from dataclasses import dataclass

from multiid.mini.figures.trials import UNSEEN, draw_photos, find_strangers
from multiid.mini.world.colours import CLOTHES
from multiid.mini.world.dice import Dice
from multiid.mini.world.groups import make_group
from multiid.mini.world.people import make_person
from multiid.mini.world.scene import Cast, Scene, draw_scene
from multiid.mini.world.words import GARMENTS, PLACES, Clothes, describe_scene
from multiid.people.identity import Identity
from multiid.pipeline.anchor import Anchor
from multiid.pipeline.composer import Composer
from multiid.pipeline.scene import Person as Member
from multiid.pipeline.scene import Scene as Wanted
from multiid.poses.skeleton import Pose

__all__ = ["Panel", "Tale", "make_tale", "panel_scene", "tale_people"]


@dataclass(frozen=True)
class Panel:
    """One picture of a tale.

    Attributes:
        pose: where the people are, on a canvas of the picture's size.
        cast: who they are, what they wear and where.
        seed: of the true render and of the generated picture.
    """

    pose: Pose
    cast: Cast
    seed: int

    def truth(self) -> Scene:
        """The true render."""
        return draw_scene(self.pose, self.cast, seed=self.seed)


@dataclass(frozen=True)
class Tale:
    """The same people, dressed the same, in other poses at other places.

    Attributes:
        index: which.
        panels: of which the first is the one that the others keep to.
    """

    index: int
    panels: tuple[Panel, ...]

    @property
    def cast(self) -> Cast:
        """Who is in it and what they wear."""
        return self.panels[0].cast


def make_tale(index: int, *, people: int = 2, panels: int = 4) -> Tale:
    """A tale of grown people in clothes of different colours; the same arguments give the same one."""
    dice = Dice(f"figures, tale of {people}", UNSEEN + index)
    cast = find_strangers([make_person(dice.seed(), age="adult") for _ in range(people)], dice)
    clothes = tuple(Clothes(colour, dice.pick(GARMENTS[:2])) for colour in dice.some(tuple(CLOTHES), people))
    places = dice.some(tuple(PLACES), panels)
    return Tale(
        index,
        tuple(Panel(_pose(people, dice), Cast(cast, clothes, place), dice.seed()) for place in places),
    )


def _pose(people: int, dice: Dice) -> Pose:
    while True:
        pose = make_group(people, dice.seed())
        if all(place.role == "adult" for place in pose.places):
            return pose


def tale_people(composer: Composer, tale: Tale) -> tuple[Identity, ...]:
    """The identities of a tale's people, from a few portraits of each."""
    return tuple(
        composer.identity(f"p{number}", person.noun, draw_photos(person, seed=UNSEEN + tale.index))
        for number, person in enumerate(tale.cast.people, start=1)
    )


def panel_scene(
    panel: Panel,
    people: tuple[Identity, ...],
    *,
    dressed: bool,
    anchors: Mapping[str, Anchor],
    consistency: float,
    steps: int,
) -> Wanted:
    """A panel as a user would write it.

    Args:
        panel: of a tale.
        people: its people.
        dressed: whether words say what they wear.
        anchors: what they keep to, by name.
        consistency: how strongly.
        steps: denoising steps.
    """
    text = describe_scene([identity.noun for identity in people], panel.cast.place)
    start = 0
    for identity in people:
        start = text.index(f" {identity.noun}", start) + 1
        text = f"{text[:start]}{{{identity.name}}}{text[start + len(identity.noun) :]}"
    members = [
        Member(
            identity,
            phrase=str(clothes) if dressed else "",
            anchor=anchors.get(identity.name),
            consistency=consistency,
        )
        for identity, clothes in zip(people, panel.cast.clothes, strict=True)
    ]
    size = panel.pose.size
    return Wanted(
        text, members, pose=panel.pose, width=size.width, height=size.height, steps=steps, seed=panel.seed
    )  # fmt: skip
