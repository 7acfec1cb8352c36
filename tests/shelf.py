"""The library's templates for tests: read once in a process, as the tests' type checker makes reading slow."""

from functools import cache

from multiid.poses.skeleton import Pose
from multiid.poses.templates import Template, load_template

__all__ = ["shelf_pose", "shelf_template"]


@cache
def shelf_template(name: str) -> Template:
    """A template of the library by its name."""
    return load_template(name)


@cache
def shelf_pose(name: str) -> Pose:
    """Its pose."""
    return shelf_template(name).pose()
