"""Who is in a picture: the faces found in it, matched one to one with the people asked for.

One assignment weighs two things: whose face it is, and where it is. A face at somebody's place is that person's to
answer for, whoever it shows; a face elsewhere is theirs only if it is clearly them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64

from multiid.evaluation.evidence import Evidence
from multiid.evaluation.likeness import Likeness, likeness_of, mean_direction
from multiid.geometry import Box
from multiid.people.faces import Face

__all__ = ["Match", "Matching", "Status", "Wanted", "faces_in_place", "match_faces"]

Status = Literal["found", "mixed", "doubled", "missing", "unseen"]
"""What became of a person: a face that is theirs; a face that is somebody else's, or a blend; several faces that are
theirs; none; none, and none expected, as they are seen from behind."""

_REACH = 0.5  # of a face's width: how far from its place it may be
_LEAST_INSIDE = 0.5  # of a face's box: more of it than this must be within a region; no two regions have so much of it


@dataclass(frozen=True, eq=False)
class Wanted:
    """Somebody who was asked for.

    Attributes:
        name: who it is.
        reference: direction of their face's embedding, of length 1; None where the recogniser does not know them.
        face: where their face should be; None where no pose says it.
        region: their mask at the picture's size, in place of `face`; None where they may be anywhere.
        from_behind: whether the pose shows the back of their head: no face of theirs is looked for.
    """

    name: str
    reference: Float64[np.ndarray, " channels"] | None = None
    face: Box | None = None
    region: Float[np.ndarray, "height width"] | None = field(default=None, repr=False)
    from_behind: bool = False

    @property
    def is_placed(self) -> bool:
        """Whether anything says where they should be."""
        return self.face is not None or self.region is not None


@dataclass(frozen=True)
class Match:
    """What became of one person.

    Attributes:
        name: who it is.
        status: see `Status`. Without identities, found or missing.
        face: the box of the face that is matched with them; None where they are missing.
        similarities: that face's cosine with everybody whom the recogniser knows, by name; empty without a face.
        in_place: whether that face is where it should be; true where nothing says where.
        copies: boxes of further faces that are theirs, at somebody else's place too.
    """

    name: str
    status: Status
    face: Box | None = None
    similarities: Mapping[str, float] = field(default_factory=dict[str, float])
    in_place: bool = True
    copies: tuple[Box, ...] = ()

    @property
    def similarity(self) -> float | None:
        """The matched face's cosine with the person; None where there is no face or no identity to compare with."""
        return self.similarities.get(self.name)

    @property
    def nearest(self) -> str | None:
        """Whom the matched face resembles most, of all the people asked for."""
        return max(self.similarities, key=lambda name: self.similarities[name]) if self.similarities else None


@dataclass(frozen=True)
class Matching:
    """What became of everybody who was asked for.

    Attributes:
        people: in the order in which they were asked for.
        strangers: boxes of faces that are nobody's, the largest first: extras, and people nobody asked for.
        faces: how many faces the picture has.
        recogniser: who compared the faces; None where faces were counted and placed, but identities not checked.
    """

    people: tuple[Match, ...]
    strangers: tuple[Box, ...]
    faces: int
    recogniser: str | None

    @property
    def is_complete(self) -> bool:
        """Whether everybody whose face is to be seen is there once, and nobody mixed."""
        return not self.failing

    @property
    def failing(self) -> tuple[str, ...]:
        """Names of those who are not there, or not themselves, or there twice."""
        return tuple(match.name for match in self.people if match.status not in ("found", "unseen"))


def match_faces(
    faces: Sequence[Face], wanted: Sequence[Wanted], *, recogniser: str | None, likeness: Likeness | None = None
) -> Matching:
    """Matches the faces of a picture one to one with the people asked for.

    A face is at somebody's place if its middle is within half a face's width of where theirs should be, or more than
    half of its box is within their region. It is like somebody from the cosine `same` on. There it is theirs if it is
    nearest to them of all the people and no blend of them and another: at least `lean` of the way from the middle
    between both. Elsewhere it must be clearly theirs: at least `1 - lean` of that way.

    - **found**: whoever has a face that is theirs at their place; or else one that is clearly theirs and elsewhere,
      if nobody else has to answer for that face.
    - **mixed**: whoever has a face at their place that is somebody's, but not theirs: clearly somebody else's, a blend
      of them and another, or something like the middle between both (from the cosine `blend` on). So two who are
      exchanged are both mixed, and who takes another's place leaves their own empty.
    - **doubled**: whoever is found, and further faces are clearly theirs, also such as make others mixed.
    - **unseen**: whoever is seen from behind; they take no face, and none doubles them.
    - **missing**: all others. A face that is like nobody leaves the person at whose place it is missing, and is a
      stranger.

    Between look-alikes (references' cosine 0.8 and more) only who is nearest counts, for a blend of them is as like
    either as they are themselves. Who may be anywhere has every place, but is not mixed by a face that is nearest to
    somebody else. Whom the recogniser does not know, or everybody without one, is found where a face is at their
    place that is not clearly somebody else's; without a place, where any such face is left.

    Args:
        faces: what an analyzer found in the picture, in any order.
        wanted: everybody asked for.
        recogniser: whose embeddings the faces and references are; None to count and place faces alone.
        likeness: how to read its cosines, in place of what is known of it.

    Returns:
        What became of everybody. Faces that nobody got and that double nobody are strangers.
    """
    # In one order whatever the analyzer's, so that ties are settled alike.
    faces = sorted(faces, key=lambda face: (-face.box.area, face.box.corners))
    everybody, wanted = wanted, [person for person in wanted if not person.from_behind]
    evidence = _evidence(faces, wanted, recogniser, likeness or likeness_of(recogniser or ""))
    pairs = evidence.assign()
    matches = [_match(evidence, faces, wanted, person, pairs.get(person)) for person in range(len(wanted))]
    own = {face for person, face in pairs.items() if matches[person].status == "found"}
    strangers: list[Box] = []
    for index, face in enumerate(faces):
        owner = None if index in own else evidence.owner(index)
        if owner is not None and matches[owner].status in ("found", "doubled"):
            match = matches[owner]
            matches[owner] = replace(match, status="doubled", copies=(*match.copies, face.box))
        elif index not in pairs.values():
            strangers.append(face.box)
    seen = iter(matches)
    people = tuple(Match(one.name, "unseen") if one.from_behind else next(seen) for one in everybody)
    return Matching(people, tuple(strangers), len(faces), recogniser)


def faces_in_place(places: Sequence[Box | None], faces: Sequence[Face]) -> list[Face | None]:
    """For each place the face that is there, whoever it shows: what `match_faces` finds without a recogniser.

    Args:
        places: where faces should be; None where nothing says it, and no face is taken for that one.
        faces: what an analyzer found, in any order.
    """
    wanted = [Wanted(str(index), face=box) for index, box in enumerate(places) if box is not None]
    boxes = {match.name: match.face for match in match_faces(faces, wanted, recogniser=None).people}
    by_box = {face.box: face for face in faces}
    found = (boxes.get(str(index)) for index in range(len(places)))
    return [None if box is None else by_box[box] for box in found]


def _evidence(faces: Sequence[Face], wanted: Sequence[Wanted], recogniser: str | None, likeness: Likeness) -> Evidence:
    references = [person.reference if recogniser else None for person in wanted]
    directions = [None if face.embedding is None else mean_direction([face.embedding]) for face in faces]
    places = np.array([[_place(face.box, person) for face in faces] for person in wanted], np.float64)
    return Evidence(
        cosines=_cosines(references, directions),
        alike=_cosines(references, references),
        places=places.reshape(len(wanted), len(faces)),
        placed=[person.is_placed for person in wanted],
        likeness=likeness,
    )


def _match(evidence: Evidence, faces: Sequence[Face], wanted: Sequence[Wanted], person: int, face: int | None) -> Match:
    """What became of a person with the face that is theirs to answer for."""
    if face is None:
        return Match(wanted[person].name, "missing")
    cosines = zip(wanted, evidence.cosines[:, face].tolist(), strict=True)
    return Match(
        name=wanted[person].name,
        status="found" if evidence.is_theirs(person, face) else "mixed",
        face=faces[face].box,
        similarities={other.name: cosine for other, cosine in cosines if not math.isnan(cosine)},
        in_place=evidence.is_expected(person, face),
    )


def _cosines(
    rows: Sequence[Float64[np.ndarray, " channels"] | None], columns: Sequence[Float64[np.ndarray, " channels"] | None]
) -> Float64[np.ndarray, "rows columns"]:
    """Of every two directions; not a number where one is not known."""
    values = [[np.nan if a is None or b is None else float(a @ b) for b in columns] for a in rows]
    return np.array(values, np.float64).reshape(len(rows), len(columns))


def _place(box: Box, wanted: Wanted) -> float:
    """How near a face is to where somebody's should be: 1 right there, 0 not there or where nothing says it."""
    if wanted.face is not None:
        (x, y), (own_x, own_y) = box.centre, wanted.face.centre
        return max(0.0, 1 - float(np.hypot(x - own_x, y - own_y)) / (_REACH * wanted.face.width))
    if wanted.region is not None:
        left, top, right, bottom = (max(0, round(corner)) for corner in box.corners)
        inside = float(wanted.region[top:bottom, left:right].sum()) / box.area
        return max(0.0, (inside - _LEAST_INSIDE) / (1 - _LEAST_INSIDE))
    return 0.0
