"""A small story of the examples' portraits, for tests: quick pictures, few panels."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from multiid import find_preset, load_story
from multiid.poses.skeleton import Pose
from multiid.story.plan import StoryPlan, plan_story

PORTRAITS = Path(__file__).resolve().parents[1] / "examples" / "portraits"


def script(**changes: Any) -> dict[str, Any]:
    """Four panels: two people, each of them alone, and a view; `changes` replace keys at the top."""
    return {
        "title": "A test",
        "style": {"preset": "mini", "scene": {"steps": 2}, "attempts": 1},
        "paper": {"size": "square", "dpi": 72},
        "cast": {
            "ada": {"noun": "woman", "photos": str(PORTRAITS / "ada"), "look": "in a red coat"},
            "otto": {"noun": "old man", "photos": str(PORTRAITS / "otto"), "look": "in a blue coat"},
        },
        "pages": [
            {
                "panels": [
                    {
                        "prompt": "a {ada} and a {otto} in a garden",
                        "template": "couple-standing",
                        "people": ["ada", "otto"],
                        "dialogue": [{"ada": "Good morning."}],
                    },
                    {"prompt": "a {otto} at the beach", "people": ["otto"]},
                    {"prompt": "a {ada} at night", "people": ["ada"], "captions": ["Later"]},
                    {"prompt": "mountains"},
                ]
            }
        ],
        **changes,
    }


def panels_of(story: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The panels of its first page."""
    return story["pages"][0]["panels"]


def write_script(folder: Path, story: Mapping[str, Any]) -> Path:
    """Writes a script as story.yaml."""
    file = folder / "story.yaml"
    file.write_text(yaml.safe_dump(dict(story), sort_keys=False), encoding="utf-8")
    return file


def planned(folder: Path, story: Mapping[str, Any], seeds: Mapping[str, int] | None = None) -> StoryPlan:
    """The plan of a script, by the preset mini."""
    return plan_story(load_story(write_script(folder, story)), find_preset("mini"), photo_pose=no_photo, seeds=seeds)


def no_photo(photo: Path) -> Pose:
    """In place of what reads poses from photos."""
    raise AssertionError(photo)
