"""From what was seen to a verdict: rates by way, what is required of them, and whether it is met."""

from collections.abc import Sequence
from dataclasses import dataclass

from multiid.prompts import Layout
from multiid.selftest.run import Made
from multiid.selftest.tasks import WAYS

__all__ = ["Criterion", "Tally", "Verdict", "judge_preset", "tally"]

_FOUND = 0.90
_RIGHT = 0.75
_BY_MASKS = 0.10
_MUCH_BETTER = 0.10  # in the rate of faces that are right, for the other layout to be proposed


@dataclass(frozen=True)
class Tally:
    """What was counted in some pictures.

    Attributes:
        pictures: how many there are.
        faces: how many faces there should be.
        found: how many of them were found.
        right: how many are nearest to the person who belongs there, among all who sat for the selftest.
        likeness: mean cosine with that person, of the faces found; 0 where there is none.
        margin: mean of how much nearer that person is than the nearest other; 0 where there is none.
        strangers: faces at nobody's place.
        unmade: pictures that cannot be made.
    """

    pictures: int
    faces: int
    found: int
    right: int
    likeness: float
    margin: float
    strangers: int
    unmade: int

    @property
    def found_rate(self) -> float:
        """The share of faces that were found."""
        return self.found / self.faces if self.faces else 0.0

    @property
    def right_rate(self) -> float:
        """The share of faces, found or not, that are the right person's."""
        return self.right / self.faces if self.faces else 0.0


@dataclass(frozen=True)
class Criterion:
    """Something that is required.

    Attributes:
        name: what it is.
        measured: what came out.
        required: the least that is good enough.
    """

    name: str
    measured: float
    required: float

    @property
    def met(self) -> bool:
        """Whether it is good enough."""
        return self.measured >= self.required

    def __str__(self) -> str:
        return f"{self.name} {self.measured:.0%} (at least {self.required:.0%})"


@dataclass(frozen=True)
class Verdict:
    """Whether a preset works as it should.

    Attributes:
        preset: its name.
        layout: the one it was judged in, its own.
        criteria: what it was judged by.
        advice: what else there is to know.
    """

    preset: str
    layout: Layout
    criteria: tuple[Criterion, ...]
    advice: tuple[str, ...]

    @property
    def works(self) -> bool:
        """Whether all that is required is met."""
        return all(criterion.met for criterion in self.criteria)

    def __str__(self) -> str:
        reasons = [criterion for criterion in self.criteria if self.works or not criterion.met]
        word = "works" if self.works else "does not work"
        return f"{self.preset} {word}: {', '.join(map(str, reasons))}"


def tally(made: Sequence[Made]) -> Tally:
    """Counts what is seen in pictures."""
    there = [picture for picture in made if picture.kept is not None]
    likeness: list[float] = []
    margins: list[float] = []
    right = 0
    for picture in there:
        for own, seen in enumerate(picture.sightings):
            if seen is None:
                continue
            others = [value for index, value in enumerate(seen.similarities) if index != own]
            likeness.append(seen.similarities[own])
            margins.append(seen.similarities[own] - max(others))
            right += seen.nearest == own
    return Tally(
        pictures=len(there),
        faces=sum(picture.task.people for picture in there),
        found=len(likeness),
        right=right,
        likeness=_mean(likeness),
        margin=_mean(margins),
        strangers=sum(picture.strangers for picture in there),
        unmade=len(made) - len(there),
    )


def judge_preset(name: str, layout: Layout, made: Sequence[Made]) -> Verdict:
    """The verdict on a preset in its own layout; for "auto" that is inline where the people fit into the prompt.

    Args:
        name: of the preset.
        layout: the preset's own.
        made: all pictures of the selftest.
    """
    fits = {picture.task.people: picture.kept is not None for picture in made if picture.task.way == WAYS[2]}

    def own(picture: Made) -> bool:
        wanted = layout if layout != "auto" else "inline" if fits.get(picture.task.people) else "stack"
        return picture.task.way.layout == wanted

    masked = tally([picture for picture in made if own(picture) and picture.task.way.masked])
    several = [picture for picture in made if own(picture) and picture.task.people > 1]
    with_masks = tally([picture for picture in several if picture.task.way.masked])
    without = tally([picture for picture in several if not picture.task.way.masked])
    criteria = (
        Criterion("faces found", masked.found_rate, _FOUND),
        Criterion("faces of the right person", masked.right_rate, _RIGHT),
        Criterion("more of them right by masks", with_masks.right_rate - without.right_rate, _BY_MASKS),
    )
    return Verdict(name, layout, criteria, tuple(_advice(layout, made)))


def _advice(layout: Layout, made: Sequence[Made]) -> list[str]:
    rates = {way.layout: tally([picture for picture in made if picture.task.way == way]) for way in WAYS if way.masked}
    told: list[str] = []
    stack, inline = rates["stack"], rates["inline"]
    if inline.unmade:
        told.append(f"inline has no room for these people in {inline.unmade} of the pictures: stack takes any number")
    better, worse = ("stack", "inline") if stack.right_rate >= inline.right_rate else ("inline", "stack")
    if rates[better].right_rate - rates[worse].right_rate >= _MUCH_BETTER and layout != better:
        told.append(
            f"layout {better} gets {rates[better].right_rate:.0%} of the faces right, {worse} "
            f"{rates[worse].right_rate:.0%}: {better} suits this preset better"
        )
    return told


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
