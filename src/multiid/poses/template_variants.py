"""Templates made of templates: what `variants` does to poses, with bodies staying bodies that people can edit."""

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from typing import Any

from pydantic import ValidationError

from multiid.errors import TemplateError
from multiid.geometry import Point, Size
from multiid.poses.body import Body
from multiid.poses.checks import find_faults
from multiid.poses.moves import Move, moved_body, moved_skeleton
from multiid.poses.skeleton import Points
from multiid.poses.template_text import count_people
from multiid.poses.templates import Template, TemplatePlace, template_schema
from multiid.poses.variants import Change, Framing, plan_framing, plan_mirror, plan_order, plan_removal
from multiid.validation import describe_error

__all__ = ["vary_template"]

_DIGITS = 5  # of fractions of the canvas: a hundredth of a pixel


def vary_template(
    template: Template,
    *,
    name: str | None = None,
    remove: Iterable[int] = (),
    order: Sequence[int] | None = None,
    mirror: bool = False,
    size: Size | None = None,
    framing: Framing = "wide",
    places: Sequence[int] | None = None,
) -> Template:
    """A template made of another, as its file says it: bodies stay bodies, moved and scaled.

    What is asked for is done in the order of the arguments, and each counts places as the one before left them. What
    bodies had beyond the edge of the canvas comes into sight where the new one reaches farther; to show people from
    head to toe, it reaches as far as they do. The description says what was done; so does the title, where somebody
    was left out.

    Args:
        template: stays as it is.
        name: of the new template; the same if None.
        remove: places to leave out (`without`).
        order: the people's new order, from left to right (`reordered`).
        mirror: whether to mirror it (`mirrored`).
        size: of the new canvas (`on_canvas`); the same if None.
        framing: how much of the people is seen (`reframed`).
        places: whom the camera looks at then; everybody if None.

    Raises:
        TemplateError: when a place is none of the template's, or what comes out would not be a template: nobody is
            left, a side of `size` is no multiple of 8, or the new pose has a fault.
    """
    done: list[str] = []
    count = len(template.places)
    gone = sorted(set(remove), reverse=True)
    if gone and set(range(count)) <= set(gone):
        raise TemplateError(f"remove: expected at least one place to remain, but all {count} would go.")
    for place in gone:
        template = _changed(template, plan_removal(template.pose(), place))
        done.insert(0, f"without place {place}")
    if order is not None:
        template = _changed(template, plan_order(template.pose(), order))
        done.append(f"in the order {', '.join(map(str, order))}")
    if mirror:
        template = _changed(template, plan_mirror(template.pose()))
        done.append("mirrored")
    if framing != "wide" or size is not None:
        pose = template.pose(beyond=framing == "full")
        change = plan_framing(pose, size=size or template.size, framing=framing, places=places)
        template = _changed(template, change)
        done.append(f"{framing} on {template.size}")
    # What the old description says of left and right, and the old title of who is there, need not hold any more.
    updates = {"name": name or template.name}
    if done:
        updates["description"] = f"{template.name}, {', '.join(done)}."
    if len(template.places) < count:
        updates["title"] = f"{count_people(template.people)}, from {template.name}"
    return _checked(template, updates)


def _changed(template: Template, change: Change) -> Template:
    places = [_moved(template.places[move.source], move, template.size, change.size) for move in change.moves]
    return _checked(template, {"size": change.size, "places": tuple(places)})


def _checked(template: Template, updates: dict[str, Any]) -> Template:
    try:
        changed = Template.model_validate(dict(template) | updates)
    except ValidationError as error:
        raise TemplateError(describe_error(error, template_schema(), source="the template")) from error
    faults = find_faults(changed.pose())
    if faults:
        raise TemplateError(f"Expected a pose without faults to come of it, but {faults[0]}.")
    return changed


def _moved(place: TemplatePlace, move: Move, old: Size, new: Size) -> TemplatePlace:
    try:
        if place.body is not None:
            return place.model_copy(update={"body": _rounded(moved_body(place.body, move, old, new))})
    except ValueError as error:
        raise TemplateError(f"places.{move.source}.body: {error}.") from error
    skeleton = moved_skeleton(place.skeleton(old), move, old, new)
    points = {
        "keypoints": skeleton.points,
        "right_hand_keypoints": skeleton.right_hand,
        "left_hand_keypoints": skeleton.left_hand,
        "face_keypoints": skeleton.face,
    }
    return place.model_copy(update={key: _rounded_points(value) for key, value in points.items()})


def _rounded(body: Body) -> Body:
    values = {field.name: getattr(body, field.name) for field in fields(body)}
    points = {name: _rounded_point(value) for name, value in values.items() if isinstance(value, Point)}
    return replace(body, height=round(body.height, _DIGITS), **points)


def _rounded_points(points: Points | None) -> Points | None:
    return None if points is None else tuple(None if point is None else _rounded_point(point) for point in points)


def _rounded_point(point: Point) -> Point:
    return Point(round(point.x, _DIGITS), round(point.y, _DIGITS))
