"""What is known of who is in a picture: what was found, what was tried to mend it, and how it is told."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import PIL.Image

from multiid.evaluation.matching import Match, Matching, Status
from multiid.explain import Colour
from multiid.geometry import Box
from multiid.pipeline.annotated import Mark, annotate

__all__ = ["Attempt", "Verification"]

# Okabe and Ito's colours, which people with any colour vision can tell apart.
_COLOURS: Mapping[Status, Colour] = {
    "found": (0, 178, 123), "mixed": (213, 94, 0), "doubled": (230, 159, 0), "missing": (235, 110, 170),
    "unseen": (170, 170, 178),
}  # fmt: skip
_GREY: Colour = (170, 170, 178)


@dataclass(frozen=True)
class Attempt:
    """One picture that was tried.

    Attributes:
        seed: what it was made from.
        refined: names of those whose faces were then painted anew; nobody's in the picture as it came.
        matching: who was found in it.
    """

    seed: int
    refined: tuple[str, ...]
    matching: Matching

    def __str__(self) -> str:
        people = [match for match in self.matching.people if match.status != "unseen"]
        found = sum(match.status == "found" for match in people)
        failing = [f"{match.name} {match.status}" for match in people if match.status != "found"]
        how = f"seed {self.seed}" + (f", {' and '.join(self.refined)} refined" if self.refined else "")
        return f"{how}: {found} of {len(people)} found" + (f", {', '.join(failing)}" if failing else "")


@dataclass(frozen=True)
class Verification:
    """Who was found in a picture.

    Attributes:
        matching: what became of everybody.
        expected: where faces should be, by name, in pixels; of a region its extent. Those who may be anywhere are not
            in it.
        unchecked: names of those who could not be compared with any face: the recogniser has no embedding of theirs.
        own_recogniser: whether the recogniser took part in making the picture, so that its word is no independent
            one: InsightFace gives ID encoder V2 what it goes by.
        attempts: the pictures that were tried, in this order; none where an existing picture was looked at.
        kept: index of the attempt that this is.
    """

    matching: Matching
    expected: Mapping[str, Box] = field(default_factory=dict[str, Box])
    unchecked: tuple[str, ...] = ()
    own_recogniser: bool = False
    attempts: tuple[Attempt, ...] = ()
    kept: int | None = None

    @property
    def recogniser(self) -> str | None:
        """Who compared the faces; None where they were counted and placed, but identities not checked."""
        return self.matching.recogniser

    @property
    def is_complete(self) -> bool:
        """Whether everybody is there once, and nobody mixed; without a recogniser, whether there is a face for each."""
        return self.matching.is_complete

    @property
    def lines(self) -> tuple[str, ...]:
        """What was found and tried in words: a line for each person first, then what there is to know besides."""
        width = max((len(match.name) for match in self.matching.people), default=0) + 1
        people = (f"{match.name + ':':<{width}} {self._fate(match)}" for match in self.matching.people)
        return (*people, *self._remarks())

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def to_json(self, indent: int | None = None) -> str:
        """All of it as JSON; boxes are (left, top, right, bottom) in pixels."""
        content = {
            "complete": self.is_complete,
            "recogniser": self.recogniser,
            "own_recogniser": self.own_recogniser,
            "unchecked": self.unchecked,
            **_told(self.matching),
            "expected": {name: box.corners for name, box in self.expected.items()},
            "attempts": [
                {"seed": attempt.seed, "refined": attempt.refined, **_told(attempt.matching)}
                for attempt in self.attempts
            ],
            "kept": self.kept,
        }
        return json.dumps(content, indent=indent, ensure_ascii=False)

    def explain(self, picture: PIL.Image.Image) -> PIL.Image.Image:
        """The picture with a frame and a name for each face, coloured by what became of the person; words beneath.

        Whoever is missing has a dashed frame where their face should be.

        Args:
            picture: the one that this is about.
        """
        marks = [Mark(box, "nobody asked for", _GREY) for box in self.matching.strangers]
        for match in self.matching.people:
            colour = _COLOURS[match.status]
            label = match.name if match.status == "found" else f"{match.name}: {match.status}"
            marks += [Mark(copy, f"{match.name} again", colour) for copy in match.copies]
            if match.face is not None:
                marks.append(Mark(match.face, label, colour))
            elif match.name in self.expected:
                marks.append(Mark(self.expected[match.name], label, colour, dashed=True))
        return annotate(picture, marks, title=_summary(self.matching), lines=self.lines)

    def _fate(self, match: Match) -> str:
        if match.status == "unseen":
            return "seen from behind, not checked"
        if match.face is None:
            return "missing"
        parts: list[str] = []
        if match.similarity is not None:
            parts.append(f"similarity {match.similarity:.2f}")
        parts.append(f"face {_where(match.face)}")
        if match.status == "mixed":
            others = {name: value for name, value in match.similarities.items() if name != match.name}
            nearest = max(others, key=lambda name: others[name])
            parts.append(f"{'nearest to' if match.nearest == nearest else 'leans to'} {nearest} {others[nearest]:.2f}")
        parts += [f"again {_where(copy)}" for copy in match.copies]
        if not match.in_place:
            parts.append("not where it should be")
        if self.recogniser is not None and match.name in self.unchecked:
            parts.append("not compared")
        return ", ".join([match.status, *parts])

    def _remarks(self) -> list[str]:
        strangers = self.matching.strangers
        remarks: list[str] = []
        if strangers:
            faces = "1 face is" if len(strangers) == 1 else f"{len(strangers)} faces are"
            remarks.append(f"{faces} of nobody asked for: {'; '.join(map(_where, strangers))}")
        if self.recogniser is None:
            remarks.append("identity was not checked: faces were counted and placed, but compared with nobody")
        else:
            if self.unchecked:
                names = ", ".join(self.unchecked)
                remarks.append(f"not compared, for want of an embedding by {self.recogniser}: {names}")
            own = ", which took part in making the picture and so is no independent judge"
            remarks.append(f"compared by {self.recogniser}{own if self.own_recogniser else ''}")
        remarks += [f"tried {attempt}{' (kept)' * (i == self.kept)}" for i, attempt in enumerate(self.attempts)]
        return remarks


def _summary(matching: Matching) -> str:
    looked_for = [match for match in matching.people if match.status != "unseen"]
    found = sum(match.status == "found" for match in looked_for)
    return f"{found} of {len(looked_for)} found; {matching.faces} face{'' if matching.faces == 1 else 's'}"


def _told(matching: Matching) -> dict[str, Any]:
    return {
        "people": [
            {
                "name": match.name,
                "status": match.status,
                "similarity": match.similarity,
                "nearest": match.nearest,
                "similarities": dict(match.similarities),
                "face": None if match.face is None else match.face.corners,
                "in_place": match.in_place,
                "copies": [copy.corners for copy in match.copies],
            }
            for match in matching.people
        ],
        "strangers": [box.corners for box in matching.strangers],
        "faces": matching.faces,
    }


def _where(box: Box) -> str:
    return f"at ({box.left:.0f}, {box.top:.0f}), {box.width:.0f} x {box.height:.0f} pixels"
