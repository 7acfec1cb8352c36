"""A small story for tests, with what it names beside it."""

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from photos import write_blocks

STORY: dict[str, Any] = {
    "title": "A walk in the rain",
    "cast": {
        "mia": {"noun": "girl", "photos": "mia", "look": "in a green parka", "anchor": "1.1"},
        "leo": {"noun": "man", "photos": ["leo.png"]},
    },
    "style": {"preset": "tiny", "prompt": "watercolour", "scene": {"steps": 2}},
    "paper": {"size": "square", "lettering": {"size": 9}},
    "pages": [
        {
            "layout": "2/1",
            "panels": [
                {
                    "prompt": "a {mia} and a {leo} in the rain",
                    "people": ["mia", {"who": "leo", "phrase": "holding an umbrella"}],
                    "template": "couple-standing",
                    "dialogue": [{"mia": "Look!"}, {"leo": "Where?", "how": "shout"}],
                },
                {"prompt": "a street", "captions": ["Later"], "sounds": ["Splash"]},
                {"prompt": "a {leo}", "people": ["leo"], "dialogue": [{"mia": "Hello?"}, "It was late."]},
            ],
        },
        {"panels": [{"prompt": "a {mia}", "people": ["mia"], "pose": "pose.png"}]},
    ],
}
"""A story without faults."""

Change = tuple[Sequence[str | int], Any]
"""Keys and indices that lead to a value, and what is there instead; `DROPPED` takes the key away."""

DROPPED = object()

PANEL = ("pages", 0, "panels", 0)
"""The first panel, with two people who talk."""

VIEW = ("pages", 0, "panels", 1)
"""The second, without people."""


def changed(*changes: Change) -> dict[str, Any]:
    """The story with other values."""
    story = copy.deepcopy(STORY)
    for location, value in changes:
        holder: Any = story
        for key in location[:-1]:
            holder = holder[key]
        if value is DROPPED:
            del holder[location[-1]]
        else:
            holder[location[-1]] = value
    return story


def write_story(folder: Path, story: Any = STORY) -> Path:
    """The story as a file, and its photos."""
    write_blocks(folder / "mia" / "1.png", 0)
    write_blocks(folder / "mia" / "2.png", 1)
    write_blocks(folder / "leo.png", 2)
    write_blocks(folder / "pose.png", 3)
    file = folder / "story.yaml"
    text = story if isinstance(story, str) else yaml.safe_dump(story, sort_keys=False, allow_unicode=True)
    file.write_text(text, encoding="utf-8")
    return file
