"""How well people stay themselves from panel to panel: in words alone, and with anchors.

A tale's first panel says what everybody wears. The others are made in four ways: with the same words or without them,
with the first panel as everybody's anchor or without it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import PIL.Image
from jaxtyping import Float64

from multiid.evaluation import metrics
from multiid.evaluation.matching import faces_in_place
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.judges import cloth_medians, lit_clothes, read_clothes
from multiid.mini.figures.rate import Rate, count_right
from multiid.mini.figures.reading import face_direction, portraits_direction
from multiid.mini.figures.tales import Panel, Tale, make_tale, panel_scene, tale_people
from multiid.mini.figures.trials import UNSEEN, draw_references
from multiid.pipeline.anchor import Anchor
from multiid.pipeline.composer import Composer

__all__ = ["WAYS", "Consistency", "Way", "consistency_table", "measure_consistency"]

Way = Literal["true", "words", "words, anchors", "no words", "no words, anchors"]
WAYS: tuple[Way, ...] = ("true", "words", "words, anchors", "no words", "no words, anchors")
"""The true renders; then the pictures, with and without words for clothes, and with and without anchors."""

Progress = Callable[[int, int], None]
"""Called with the tales done and all there are."""

Show = Callable[[Tale, Way, Sequence[PIL.Image.Image]], None]
"""Given the panels of a tale as they were made in one way."""


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """What was read from tales made in one way.

    Attributes:
        similarity: the mean cosine of a person's face in one panel with that in another, over all pairs of panels; -1
            to 1, higher is better.
        distance: how far a person's clothes are in one panel from those in another, a mean over all pairs: between
            colours from 0 to 255, each less what the clothes should be in the light of its place; lower is better.
        agreement: pairs of panels in which somebody's clothes are of one colour word.
        clothes: in the panels after the first, clothes of the colour that the first asks for.
        own: faces nearer to their own person than to the others, one that is not found counting as wrong.
    """

    similarity: float
    distance: float
    agreement: Rate
    clothes: Rate
    own: Rate


@dataclass(frozen=True, eq=False)
class _Read:
    """What one panel shows of each person; None or not numbers where it does not."""

    faces: Float64[np.ndarray, "people channels"]
    shades: tuple[Float64[np.ndarray, " 3"] | None, ...]
    colours: tuple[str | None, ...]


@dataclass(frozen=True, eq=False)
class _ReadTale:
    """A tale's panels as they were read, with everybody's portraits."""

    tale: Tale
    references: Float64[np.ndarray, "people channels"]
    panels: Sequence[_Read]


def measure_consistency(
    composer: Composer,
    faces: MiniFaces,
    *,
    tales: int = 20,
    people: int = 2,
    panels: int = 4,
    first: int = 0,
    steps: int = 8,
    consistency: float = 3.0,
    progress: Progress | None = None,
    show: Show | None = None,
) -> Mapping[Way, Consistency]:
    """Measures people's consistency over tales of people on whom nothing was trained.

    Args:
        composer: of the miniature.
        faces: finds and reads faces.
        tales: how many.
        people: in each of them.
        panels: pictures of each, of which the first is everybody's anchor; 2 or more.
        first: number of the first tale. Those from 700,000 on were used to choose defaults.
        steps: denoising steps.
        consistency: how strongly people keep to their anchors.
        progress: called after each tale.
        show: given the panels of each tale and way.
    """
    read: dict[Way, list[_ReadTale]] = {way: [] for way in WAYS}
    for number in range(tales):
        tale = make_tale(first + number, people=people, panels=panels)
        references = np.stack(
            [
                portraits_direction(draw_references(person, seed=UNSEEN + tale.index), faces)
                for person in tale.cast.people
            ]
        )
        for way, pictures in _made(composer, tale, steps=steps, consistency=consistency).items():
            panels_read = [_read(picture, panel, faces) for picture, panel in zip(pictures, tale.panels, strict=True)]
            read[way].append(_ReadTale(tale, references, panels_read))
            if show is not None:
                show(tale, way, pictures)
        if progress is not None:
            progress(number + 1, tales)
    return {way: _summary(read[way]) for way in WAYS}


def consistency_table(figures: Mapping[Way, Consistency]) -> str:
    """The figures as a table in Markdown."""
    lines = [
        "| Panels made with | similarity | clothes' distance | clothes agree | clothes right | nearest to own |",
        "|---|---|---|---|---|---|",
    ]
    for way, one in figures.items():
        name = "(true renders)" if way == "true" else way
        rates = " | ".join(f"{rate.share:.3f} ({rate.of})" for rate in (one.agreement, one.clothes, one.own))
        lines.append(f"| {name} | {one.similarity:.3f} | {one.distance:.1f} | {rates} |")
    return "\n".join(lines) + "\n"


def _made(composer: Composer, tale: Tale, *, steps: int, consistency: float) -> dict[Way, list[PIL.Image.Image]]:
    """A tale's panels in every way; all but the true renders share the first."""
    people = tale_people(composer, tale)
    lead = composer.compose(
        panel_scene(tale.panels[0], people, dressed=True, anchors={}, consistency=consistency, steps=steps),
        record=[person.name for person in people],
    )
    made: dict[Way, list[PIL.Image.Image]] = {"true": [panel.truth().picture for panel in tale.panels]}
    ways: Mapping[Way, tuple[bool, Mapping[str, Anchor]]] = {
        "words": (True, {}),
        "words, anchors": (True, lead.anchors),
        "no words": (False, {}),
        "no words, anchors": (False, lead.anchors),
    }
    for way, (dressed, anchors) in ways.items():
        scenes = [
            panel_scene(panel, people, dressed=dressed, anchors=anchors, consistency=consistency, steps=steps)
            for panel in tale.panels[1:]
        ]
        made[way] = [lead.image, *(composer.compose(scene).image for scene in scenes)]
    return made


def _read(picture: PIL.Image.Image, panel: Panel, faces: MiniFaces) -> _Read:
    truth, place, pixels = panel.truth(), panel.cast.place, np.asarray(picture)
    lit = lit_clothes(place)
    found = faces_in_place([person.face for person in truth.people], faces.analyze(picture))
    medians = cloth_medians(pixels, truth, place)
    return _Read(
        faces=np.stack([face_direction(face) for face in found]),
        shades=tuple(
            None if median is None else median - lit[clothes.colour]
            for median, clothes in zip(medians, panel.cast.clothes, strict=True)
        ),
        colours=read_clothes(pixels, truth, place),
    )


def _summary(read: Sequence[_ReadTale]) -> Consistency:
    pairs = [(one, other) for tale in read for one, other in combinations(tale.panels, 2)]
    similarities = np.concatenate([np.sum(one.faces * other.faces, axis=1) for one, other in pairs])
    shades = [both for one, other in pairs for both in zip(one.shades, other.shades, strict=True)]
    colours = [both for one, other in pairs for both in zip(one.colours, other.colours, strict=True)]
    return Consistency(
        similarity=float(np.nanmean(similarities)),
        distance=float(np.mean([np.linalg.norm(a - b) for a, b in shades if a is not None and b is not None])),
        agreement=count_right(a == b for a, b in colours if a is not None and b is not None),
        clothes=count_right(_clothes(read)),
        own=count_right(
            hit
            for tale in read
            for panel in tale.panels
            for hit in metrics.nearest_own(metrics.likenesses(panel.faces, tale.references))
        ),
    )


def _clothes(read: Sequence[_ReadTale]) -> Iterable[bool]:
    """Whether clothes are of the colour asked for, of those that are seen, in the panels after the first."""
    for tale in read:
        for panel in tale.panels[1:]:
            for clothes, colour in zip(tale.tale.cast.clothes, panel.colours, strict=True):
                if colour is not None:
                    yield colour == clothes.colour
