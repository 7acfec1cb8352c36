"""Pictures of the miniature's world read back into words: what stands there for CLIP-T.

It is no CLIP-T and cannot be set beside published ones. The miniature's text encoders were trained to steer pictures
and never compared with any, so the cosine of two captions' pooled vectors is next to 1 even where the captions have
no word in common. The words themselves are compared instead.
"""

import re
from collections import Counter

import numpy as np
import PIL.Image

from multiid.evaluation.matching import Wanted, match_faces
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.judges import PlaceJudge, read_clothes
from multiid.mini.world.colours import CLOTHES
from multiid.mini.world.people import VALUES, make_person
from multiid.mini.world.scene import Scene
from multiid.mini.world.words import GARMENTS, PLACES

__all__ = ["WordReader", "asked_words"]

_NOUNS = {
    (gender, age): make_person(0, gender=gender, age=age).noun for gender in VALUES["gender"] for age in VALUES["age"]
}
_PERSON = re.compile(
    rf"\b({'|'.join(sorted(_NOUNS.values(), key=len, reverse=True))})\b"
    rf"(?: in an? ({'|'.join(CLOTHES)}) (?:{'|'.join(GARMENTS)})\b)?"
)
_PLACE = re.compile(rf"\b({'|'.join(PLACES.values())})\b")


class WordReader:
    """Reads pictures back into words, and tells how much of what a text asks for is there.

    Args:
        faces: finds faces and reads whether somebody is a man, a girl, an old woman.
        judge: tells places.
    """

    name = "words read back by the miniature's recogniser and judges"

    def __init__(self, faces: MiniFaces, judge: PlaceJudge) -> None:
        self.faces, self.judge = faces, judge

    def score(self, image: PIL.Image.Image, text: str, truth: Scene) -> float:
        """The share of what the text asks for that the picture shows.

        From 0 to 1, higher is better; not a number where the text asks for nothing that can be read. It counts in
        the place of CLIP-T but is none. Garments are not told apart, and other words do not count.

        Args:
            image: of the true render's size.
            text: the scene in words, with everybody's noun and phrase (`prompts.bind`, with phrases).
            truth: the true render of the same scene: where everybody is, and what of the picture is background.
        """
        asked = asked_words(text)
        shown = Counter(self.read(image, truth))
        return (asked & shown).total() / asked.total() if asked else float("nan")

    def read(self, image: PIL.Image.Image, truth: Scene) -> list[str]:
        """What a picture shows: each person's noun, with the colour they wear ("man", "man in red"), and the place.

        Nobody is read where no face is found at their place.
        """
        pixels = np.asarray(image.convert("RGB"))
        wanted = [Wanted(str(number), face=person.face) for number, person in enumerate(truth.people) if person.face]
        matching = match_faces(self.faces.analyze(image), wanted, recogniser=None)
        seen = {int(match.name): match.face for match in matching.people if match.face is not None}
        looks = self.faces.read_all(image, list(seen.values()))
        lit = next(place for place, words in PLACES.items() if words == truth.place)
        colours = read_clothes(pixels, truth, lit)
        words = [PLACES[self.judge.read(pixels, truth)]]
        for number, look in zip(seen, looks, strict=True):
            noun = _NOUNS[look["gender"], look["age"]]
            words += [noun] if colours[number] is None else [noun, f"{noun} in {colours[number]}"]
        return words


def asked_words(text: str) -> Counter[str]:
    """What a text asks for, in the words that `WordReader.read` uses, and how often."""
    asked: Counter[str] = Counter(match[1] for match in _PLACE.finditer(text))
    for match in _PERSON.finditer(text):
        asked.update([match[1], f"{match[1]} in {match[2]}"] if match[2] else [match[1]])
    return asked
