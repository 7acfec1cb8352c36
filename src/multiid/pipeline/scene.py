"""What to make: the people of a picture, its words, its pose and its settings."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast, get_args

import PIL.Image
from annotated_types import Ge, Gt, Le

from multiid.attention.masked import MaskRule
from multiid.errors import SceneError
from multiid.geometry import Size
from multiid.people.identity import Identity
from multiid.pipeline.anchor import Anchor
from multiid.pipeline.casting import CastBy
from multiid.pipeline.init_image import InitImage
from multiid.pipeline.plain_values import check_picture, check_values
from multiid.pipeline.schedulers import SCHEDULERS
from multiid.poses.skeleton import Pose
from multiid.prompts import Layout
from multiid.regions import Region
from multiid.validation import suggest

__all__ = ["MOST_SEED", "Control", "Lora", "Person", "PlaceIndex", "Scene", "Strength"]

MOST_SEED = 2**63 - 65
"""The largest seed: that of the last of 64 pictures of a call must be one that torch takes."""

Strength = Annotated[float, Ge(0), Le(10)]
PlaceIndex = Annotated[int, Ge(0)]
Side = Annotated[int, Ge(64), Le(8192)]


@dataclass(frozen=True)
class Person:
    """One person of a scene.

    Args:
        identity: who it is.
        phrase: what holds for this person alone and follows their noun: "in a red coat".
        strength: how strongly the person's own tokens are heard: 1 is untouched, 0 leaves the plain noun.
        region: a box in pixels or a painted mask, in place of the region that the pose gives.
        place: index of the template's place to stand in, counted from the left; otherwise the scene's `casting` says.
        anchor: the same person in another picture, whose body, from the neck down, theirs keeps to.
        consistency: how strongly it does: 0 is not at all, 1 as far as self-attention to the anchor leads, and more
            goes further the same way, as guidance does.

    Raises:
        SceneError: when a value is of another type or out of its range.
    """

    identity: Identity
    phrase: str = ""
    strength: Strength = 1.0
    region: Region | None = None
    place: PlaceIndex | None = None
    anchor: Anchor | None = None
    consistency: Strength = 1.0

    def __post_init__(self) -> None:
        identity, region, anchor = cast(Any, self.identity), cast(Any, self.region), cast(Any, self.anchor)
        if not isinstance(identity, Identity):
            raise SceneError(f"identity: expected an Identity, but got {type(identity).__name__}.")
        check_values(self, f"{identity.name}'s ")
        if region is not None and not isinstance(region, Region):
            raise SceneError(
                f"{identity.name}'s region: expected a Box, or a mask as picture or array, but got "
                f"{type(region).__name__}."
            )
        if anchor is not None and not isinstance(anchor, Anchor):
            raise SceneError(f"{identity.name}'s anchor: expected an Anchor, but got {type(anchor).__name__}.")
        if anchor is not None and anchor.fingerprint != identity.fingerprint:
            raise SceneError(
                f"{identity.name}'s anchor: expected one of the same person, but got one of {anchor.name} "
                f"({anchor.fingerprint[:12]}, not {identity.fingerprint[:12]})."
            )


@dataclass(frozen=True)
class Lora:
    """A style LoRA.

    Args:
        source: a file, a folder or a hub repository.
        weight: how strong it is.
        file: which file of a folder or repository.

    Raises:
        SceneError: when a value is of another type or out of its range.
    """

    source: str
    weight: Annotated[float, Ge(-10), Le(10)] = 1.0
    file: str | None = None

    def __post_init__(self) -> None:
        check_values(self, "loras.")


@dataclass(frozen=True)
class Control:
    """What one more ControlNet beside the pose's is shown: a depth map, edges.

    Args:
        image: the control image, of the picture's aspect ratio.
        scale: how strongly it binds.
        end: share of the steps after which it is let go.

    Raises:
        SceneError: when a value is of another type or out of its range.
    """

    image: PIL.Image.Image
    scale: Annotated[float, Ge(0), Le(2)] = 1.0
    end: Annotated[float, Gt(0), Le(1)] = 1.0

    def __post_init__(self) -> None:
        check_picture(self.image, "controls.image")
        check_values(self, "controls.")


@dataclass(frozen=True)
class Scene:
    """One picture, or several of the same scene. What is left `None` comes from the preset, or from the template.

    Args:
        prompt: the scene in words, "{name}" standing for a person's class noun.
        people: who is in it, from left to right; an `Identity` stands for a `Person` without further wishes.
        negative_prompt: what should not be in it.
        template: name of a pose template, or the path of a template file.
        pose: skeletons to use instead of a template.
        casting: which places people take who ask for none: "order" for that of their index, "roles" for one made for
            a child, an adult or an elder, as their noun says.
        layout: where identities go: "stack", "inline", or "auto" for inline as long as the tokens fit.
        merge_step: index of the last step that sees text alone; -1 merges identities from the first step
            (PhotoMaker's start_merge_step).
        style_strength: the same as a share of the steps in percent, at most step 30; give one of the two.
        steps: denoising steps.
        guidance: classifier-free guidance scale; at or below 1 there is no unconditional half.
        scheduler: name of a sampler, such as "euler" or "dpm++-karras".
        loras: style LoRAs for this scene.
        control_scale: how strongly the pose binds.
        control_end: share of the steps after which the pose is let go.
        controls: what further ControlNets are shown, one for each that the pipeline has beside the pose's.
        style_image: a picture whose style is followed; needs an IP-Adapter in the pipeline (`load_ip_adapter`).
        init: a picture to start from, in place of noise.
        control_identity: whether ControlNets see the identities too (InstantFamily) or text alone (PhotoMaker).
        mask_rule: how masks enter attention: "additive" excludes everybody from other people's regions. For
            comparison, "multiplicative" is InstantFamily's eq. 6 as printed, which only dampens, and with "none"
            everybody is heard everywhere.
        face_markers: whether faces are marked in colours in the control image (InstantFamily 4.2).
        soft_edge: over which share of the picture's shorter side the edges of regions fall off; 0 is hard.
        width: in pixels, a multiple of 8.
        height: in pixels, a multiple of 8.
        images: pictures made at once; picture i has seed + i.
        seed: the seed; drawn, and recorded, when left out.

    Raises:
        SceneError: when a value is of another type or out of its range, or two contradict each other.
    """

    prompt: str
    people: Sequence[Person | Identity] = ()
    negative_prompt: str | None = None
    template: str | os.PathLike[str] | None = None
    pose: Pose | None = None
    casting: CastBy = "order"
    layout: Layout | None = None
    merge_step: Annotated[int, Ge(-1), Le(1000)] | None = None
    style_strength: Annotated[float, Ge(0), Le(100)] | None = None
    steps: Annotated[int, Ge(1), Le(1000)] | None = None
    guidance: Annotated[float, Ge(0), Le(100)] | None = None
    scheduler: str | None = None
    loras: Sequence[Lora] = ()
    control_scale: Annotated[float, Ge(0), Le(2)] = 1.0
    control_end: Annotated[float, Gt(0), Le(1)] = 1.0
    controls: Sequence[Control] = ()
    style_image: PIL.Image.Image | None = None
    init: InitImage | None = None
    control_identity: bool = True
    mask_rule: MaskRule = "additive"
    face_markers: bool = False
    soft_edge: Annotated[float, Ge(0), Le(0.5)] = 0.0
    width: Side | None = None
    height: Side | None = None
    images: Annotated[int, Ge(1), Le(64)] = 1
    seed: Annotated[int, Ge(0), Le(MOST_SEED)] | None = None

    def __post_init__(self) -> None:
        check_values(self)
        _check_people(self.people)
        self._check_pictures()
        if self.scheduler is not None and self.scheduler not in SCHEDULERS:
            raise SceneError(
                f"scheduler: expected the name of a sampler, but got '{self.scheduler}'"
                f"{suggest(self.scheduler, list(SCHEDULERS))}"
            )
        for key, value, known in (
            ("layout", self.layout, (None, *get_args(Layout))),
            ("mask_rule", self.mask_rule, get_args(MaskRule)),
            ("casting", self.casting, get_args(CastBy)),
        ):
            if value not in known:
                raise SceneError(f'{key}: expected one of {", ".join(filter(None, known))}, but got "{value}".')
        if self.template is not None and self.pose is not None:
            raise SceneError("pose: expected either a template or a pose, but got both.")
        if self.merge_step is not None and self.style_strength is not None:
            raise SceneError("merge_step: expected either merge_step or style_strength, but got both.")
        if (self.width is None) != (self.height is None):
            raise SceneError("width and height: expected both or neither, but got one.")

    def _check_pictures(self) -> None:
        if self.style_image is not None:
            check_picture(self.style_image, "style_image")
        init, controls = cast(Any, self.init), cast(Any, self.controls)
        if init is not None and not isinstance(init, InitImage):
            raise SceneError(f"init: expected an InitImage, but got {type(init).__name__}.")
        if not isinstance(controls, Sequence) or not all(isinstance(control, Control) for control in controls):
            raise SceneError("controls: expected a list of Control, but got something else.")
        given = None if self.width is None or self.height is None else Size(self.width, self.height)
        if init is not None and given not in (None, init.size):
            raise SceneError(
                f"init.image: expected a picture of the scene's size, {given}, but got {init.size}: resize it, or "
                "leave out width and height."
            )

    @property
    def cast(self) -> tuple[Person, ...]:
        """The people, each as a `Person`."""
        return tuple(person if isinstance(person, Person) else Person(person) for person in self.people)


def _check_people(people: Any) -> None:
    if not isinstance(people, Sequence):
        raise SceneError(f"people: expected a list, but got {type(people).__name__}.")
    names: list[str] = []
    for person in people:
        if not isinstance(person, Person | Identity):
            raise SceneError(f"people: expected each to be a Person or an Identity, but got {type(person).__name__}.")
        names.append(person.name if isinstance(person, Identity) else person.identity.name)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SceneError(f"people: expected every name once, but {', '.join(twice)} came twice.")
