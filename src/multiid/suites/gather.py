"""The people of a suite, and the preset that suits them."""

from pathlib import Path

from multiid.errors import SuiteError
from multiid.pipeline.judging import draws_cartoons
from multiid.pipeline.presets import find_preset
from multiid.suites.miniature import MiniaturePeople
from multiid.suites.people import People
from multiid.suites.photo_people import gather_photo_people, stand_in_preset
from multiid.suites.suite import Suite

__all__ = ["gather_people"]


def gather_people(suite: Suite, *, preset: str | None, photos: Path | None) -> tuple[People, str]:
    """Who is in a suite's pictures, and the name of the preset that makes them.

    Args:
        suite: what is made.
        preset: the preset that the user wants; the suite's own if None.
        photos: the folder of photos that the user gives.

    Raises:
        PresetError: when there is no such preset.
        SuiteError: when people, photos and preset do not fit each other.
        PhotoError: when a photo cannot be used.
        TemplateError: when there is no such template.
    """
    if suite.people == "photos":
        name = preset or stand_in_preset(suite, photos)
        return gather_photo_people(suite, find_preset(name), photos), name
    if photos is not None:
        raise SuiteError(
            "Expected no photos, since this suite's people are those of the miniature's world, but got some: leave out "
            "--photos, or take a suite with people: photos."
        )
    name = preset or suite.preset
    if not draws_cartoons(find_preset(name)):
        raise SuiteError(
            f"Expected the preset mini or one like it, since this suite's people are those of the miniature's world, "
            f"but got {name}: take a suite with people: photos."
        )
    return MiniaturePeople(suite), name
