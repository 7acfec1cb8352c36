"""Stories of the miniature's people on whom nothing was trained, written out as scripts with portraits beside them."""

from pathlib import Path
from typing import Any

import yaml

from multiid.mini.figures.trials import UNSEEN, draw_photos, find_strangers
from multiid.mini.world.colours import CLOTHES
from multiid.mini.world.dice import Dice
from multiid.mini.world.people import Person, make_person
from multiid.mini.world.words import PLACES, Clothes, describe_scene
from multiid.poses.templates import Template, load_template, template_names

__all__ = ["NAMES", "write_story"]

NAMES = ("ann", "bob", "cid", "dot")
"""What the characters are called."""

_FIRST = 300_000  # of the seeds: beyond those of suites and of the miniature's own figures
_PANELS = 6
_WORDS = (
    "Is this the way?", "I know a place.", "Look at that!", "Not again.", "Who has the map?", "Tell me everything.",
    "It is late.", "Let us go home.", "I told you so.", "What a day!", "Are you sure?", "Follow me.",
)  # fmt: skip
_MANNERS = ("speech", "speech", "speech", "shout", "whisper", "thought")


def write_story(folder: Path, number: int) -> tuple[Path, dict[str, Person]]:
    """A story of 2 to 4 characters in 6 panels: one to all of them in each, in poses of the library, with words.

    Args:
        folder: to write story.yaml and the portraits into; made where it is absent.
        number: which story; the same number gives the same one.

    Returns:
        The script, and who the characters are.
    """
    dice = Dice("stories", UNSEEN + _FIRST + number)
    names = NAMES[: 2 + number % 3]
    people = find_strangers([make_person(dice.seed()) for _ in names], dice)
    looks = [Clothes(colour, dice.pick(("coat", "shirt"))) for colour in dice.some(tuple(CLOTHES), len(names))]
    cast: dict[str, dict[str, str]] = {}
    for name, person, look in zip(names, people, looks, strict=True):
        place = folder / "people" / name
        place.mkdir(parents=True, exist_ok=True)
        for index, photo in enumerate(draw_photos(person, seed=UNSEEN + _FIRST + number), 1):
            photo.save(place / f"{index}.png")
        cast[name] = {"noun": person.noun, "photos": f"people/{name}", "look": str(look)}
    panels = [_panel(names, {name: entry["noun"] for name, entry in cast.items()}, dice) for _ in range(_PANELS)]
    script = {
        "title": f"Story {number}",
        "style": {"preset": "mini"},
        "paper": {"size": "us-comic", "margin": 8.0},
        "cast": cast,
        "pages": [{"layout": "2/2/2", "panels": panels}],
    }
    file = folder / "story.yaml"
    file.write_text(yaml.safe_dump(script, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return file, dict(zip(names, people, strict=True))


def _panel(names: tuple[str, ...], nouns: dict[str, str], dice: Dice) -> dict[str, Any]:
    here = dice.some(names, 1 + int(dice.between(0, len(names))))
    words = describe_scene([nouns[name] for name in here], dice.pick(tuple(PLACES)))
    start = 0
    for name in here:  # each noun once, in this order
        start = words.index(nouns[name], start)
        words = f"{words[:start]}{{{name}}}{words[start + len(nouns[name]) :]}"
        start += len(name)
    lines = [{name: dice.pick(_WORDS), "how": dice.pick(_MANNERS)} for name in here if dice.chance(0.6)]
    return {"prompt": words, "template": dice.pick(_templates(len(here))).name, "people": here, "dialogue": lines}


def _templates(people: int) -> list[Template]:
    """The library's for exactly so many, in which everybody's face is seen."""
    found: list[Template] = []
    for template in map(load_template, template_names()):
        pose = template.pose()
        faces = [place.skeleton.face_box(pose.size) for place in pose.places]
        if len(faces) == people and all(faces):
            found.append(template)
    return found
