"""Groups of the miniature's world that went wrong on purpose, each with the right verdict on everybody.

Everything is drawn by the world's renderer: who is where is known, and no network has a say in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import PIL.Image
from PIL import ImageDraw

from multiid.evaluation.matching import Status, Wanted
from multiid.geometry import Box
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.reading import portraits_direction
from multiid.mini.figures.trials import draw_references, find_strangers
from multiid.mini.world.dice import Dice
from multiid.mini.world.groups import make_group
from multiid.mini.world.people import Person, differences, make_person
from multiid.mini.world.scene import Cast, cast_pose, draw_scene
from multiid.poses.skeleton import Pose

KINDS = (
    "as asked",
    "swapped",
    "left out",
    "covered",
    "stranger",
    "stranger besides",
    "elsewhere",
    "doubled",
    "doubled at another's place",
    "blended by attributes",
    "blended by pixels",
)
"""What may happen to somebody. A stranger takes their place or stands beside the group; who is doubled stands beside
the group as well; a blend has half of what sets two people of the group apart from each, or half of each's pixels."""

_BESIDE = ("stranger besides", "elsewhere", "doubled")  # these need a place that nobody was asked to take
_FEWEST, _MOST = 2, 6  # people
_SECOND = 0.25  # of the larger groups, in which two things happen
_STRANGE = 4  # attributes in which a stranger differs from everybody at least
_BLENDED_APART = 4  # attributes, where the group has such: a blend of look-alikes is one of them to anybody


@dataclass(frozen=True, eq=False)
class Sitter:
    """Somebody who may be asked for: who it is, and the direction of portraits of theirs that are in no picture."""

    person: Person
    reference: np.ndarray


@dataclass(frozen=True, eq=False)
class Case:
    """A picture, and what is true of it.

    Attributes:
        kinds: what happened in it.
        picture: of the group.
        wanted: who was asked for, and where.
        statuses: the right verdict on each of them.
        strangers: how many faces are nobody's.
    """

    kinds: tuple[str, ...]
    picture: PIL.Image.Image
    wanted: tuple[Wanted, ...]
    statuses: tuple[Status, ...]
    strangers: int


def invite(count: int, *, seed: int, faces: MiniFaces) -> list[Sitter]:
    """That many people on whom nothing was trained; any two differ in at least two attributes."""
    dice = Dice("mishaps, sitters", seed)
    people = find_strangers([make_person(dice.seed()) for _ in range(count)], dice)
    return [Sitter(person, portraits_direction(draw_references(person, seed=dice.seed()), faces)) for person in people]


def draw_case(index: int, sitters: Sequence[Sitter], *, seed: int, overlapping: bool = False) -> Case:
    """The case of that number: kinds take turns, and in some of the larger groups there are two.

    Args:
        index: of the case.
        sitters: whom groups and strangers are taken from; at least about forty.
        seed: of all cases.
        overlapping: whether heads share about 30 % of their width, in place of a random group.
    """
    dice = Dice(f"mishaps, {seed}", index)
    count = dice.pick(range(_FEWEST, _MOST + 1))
    kinds = [KINDS[index % len(KINDS)]]
    if count > 3 and dice.chance(_SECOND):
        kinds.append(dice.pick([kind for kind in KINDS[1:] if kind != kinds[0]]))
    beside = sum(kind in _BESIDE for kind in kinds)
    pose = make_group(count + beside, dice.seed(), overlap=overlapping)
    draft = _Draft(pose, _pick(sitters, pose, dice), dice.some(range(count + beside), beside))
    for kind in kinds:
        _happen(kind, draft, dice)
    return Case(
        kinds=tuple(kinds),
        picture=draft.draw(dice.seed()),
        wanted=tuple(
            Wanted(f"p{place + 1}", draft.sitters[place].reference, pose.places[place].skeleton.face_box(pose.size))
            for place in draft.asked
        ),
        statuses=tuple(draft.statuses.get(place, "found") for place in draft.asked),
        strangers=draft.strangers,
    )


@dataclass
class _Draft:
    """A case in the making.

    Attributes:
        pose: where people may stand.
        sitters: who was asked to take each place; of the places besides, people who are not in the group.
        besides: the places that nobody was asked to take.
        shown: who is drawn at each place; nobody in those that are left out.
        untouched: who is still as asked.
        blended: by place, with whom somebody is blended pixel by pixel.
        covered: the places whose heads are painted over.
        statuses: by place, the right verdict on who was asked to take it, unless they are found.
        strangers: how many faces are nobody's.
    """

    pose: Pose
    sitters: list[Sitter]
    besides: list[int]
    shown: dict[int, Person] = field(init=False)
    untouched: list[int] = field(init=False)
    blended: dict[int, Person] = field(default_factory=dict)
    covered: list[int] = field(default_factory=list)
    statuses: dict[int, Status] = field(default_factory=dict)
    strangers: int = 0

    def __post_init__(self) -> None:
        self.asked = [place for place in range(len(self.sitters)) if place not in self.besides]
        self.shown = {place: self.sitters[place].person for place in self.asked}
        self.untouched = list(self.asked)

    def take(self, dice: Dice) -> int:
        """Somebody to whom nothing happened yet."""
        return self.untouched.pop(dice.pick(range(len(self.untouched))))

    def apart(self, place: int, other: int) -> int:
        """In how many attributes two people differ."""
        return len(differences(self.sitters[place].person, self.sitters[other].person))

    def draw(self, seed: int) -> PIL.Image.Image:
        picture = self._draw(self.shown, seed)
        for place, other in self.blended.items():
            picture = PIL.Image.blend(picture, self._draw(self.shown | {place: other}, seed), 0.5)
        return picture

    def _draw(self, shown: dict[int, Person], seed: int) -> PIL.Image.Image:
        # A scene's dice are thrown once for each person: the same number of people gives the same picture.
        places = sorted(shown)
        pose = replace(self.pose, places=tuple(self.pose.places[place] for place in places))
        cast = cast_pose(pose, seed=seed)
        scene = draw_scene(pose, Cast(tuple(shown[place] for place in places), cast.clothes, cast.place), seed=seed)
        for place, person in zip(places, scene.people, strict=True):
            if place in self.covered and person.face is not None:
                _paint_over(scene.picture, person.face.expanded(0.6))
        return scene.picture


def _happen(kind: str, draft: _Draft, dice: Dice) -> None:
    if kind == "as asked":
        return
    place = draft.take(dice)
    person = draft.sitters[place].person
    if kind == "swapped":
        other = draft.take(dice)
        draft.shown[place], draft.shown[other] = draft.sitters[other].person, person
        draft.statuses |= {place: "mixed", other: "mixed"}
    elif kind == "left out":
        del draft.shown[place]
        draft.statuses[place] = "missing"
    elif kind == "covered":
        draft.covered.append(place)
        draft.statuses[place] = "missing"
    elif kind == "stranger":
        draft.shown[place] = _stranger(draft, dice)
        draft.statuses[place] = "missing"
        draft.strangers += 1
    elif kind == "stranger besides":
        draft.shown[draft.besides.pop()] = _stranger(draft, dice)
        draft.strangers += 1
    elif kind == "elsewhere":
        draft.shown[draft.besides.pop()] = draft.shown.pop(place)
    elif kind == "doubled":
        draft.shown[draft.besides.pop()] = person
        draft.statuses[place] = "doubled"
    elif kind == "doubled at another's place":
        other = draft.take(dice)
        draft.shown[other] = person
        draft.statuses |= {place: "doubled", other: "mixed"}
    else:
        others = [other for other in draft.asked if other != place]
        other = dice.pick([other for other in others if draft.apart(place, other) >= _BLENDED_APART] or others)
        if kind == "blended by attributes":
            draft.shown[place] = blend(person, draft.sitters[other].person, dice)
        else:
            draft.blended[place] = draft.sitters[other].person
        draft.statuses[place] = "mixed"


def blend(one: Person, other: Person, dice: Dice) -> Person:
    """Somebody who has every other one of the attributes that set two people apart from the one, the rest from the
    other: of hair, say, the colour of one and the style of the other.

    Some choices do not go together, such as a girl's beard; then the halves are drawn until they do.
    """
    apart = differences(one, other)
    taken = list(apart[dice.pick((0, 1)) :: 2])
    while True:
        try:
            return replace(one, **{name: getattr(other, name) for name in taken})
        except ValueError:
            taken = dice.some(apart, len(apart) // 2)


def _pick(sitters: Sequence[Sitter], pose: Pose, dice: Dice) -> list[Sitter]:
    """Somebody of the right age for each place, nobody twice."""
    chosen: list[Sitter] = []
    for place in pose.places:
        left = [sitter for sitter in sitters if sitter.person.age == place.role and sitter not in chosen]
        chosen.append(dice.pick(left))
    return chosen


def _stranger(draft: _Draft, dice: Dice) -> Person:
    """Somebody who is like nobody that was asked for."""
    while True:
        person = make_person(dice.seed())
        if all(len(differences(person, draft.sitters[place].person)) >= _STRANGE for place in draft.asked):
            return person


def _paint_over(picture: PIL.Image.Image, head: Box) -> None:
    """A balloon before somebody's head."""
    ImageDraw.Draw(picture).ellipse(head.corners, fill=(214, 72, 92), outline=(60, 30, 40))
