"""An existing picture to start from in place of noise: all of it is painted anew, or a part."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, cast

import PIL.Image
from annotated_types import Gt, Le
from jaxtyping import Float
from torch import Tensor

from multiid.errors import SceneError
from multiid.geometry import Size
from multiid.pipeline.plain_values import check_picture, check_values
from multiid.regions import Claim, Region, build_regions

__all__ = ["InitImage"]


@dataclass(frozen=True)
class InitImage:
    """A picture that a scene starts from (image-to-image), and where it may change (inpainting).

    Args:
        image: the picture, of the scene's size; a scene that names no size takes the picture's.
        strength: how much noise is added, as a share of the denoising steps that are then run: little keeps the
            picture, 1 keeps nothing of what is painted anew.
        mask: the part to paint anew, as a box in pixels or a painted mask; everything if None.
        people: names of people whose regions are the part to paint anew, in place of a mask.

    Raises:
        SceneError: when a value is of another type or out of its range, or both mask and people are given.
    """

    image: PIL.Image.Image
    strength: Annotated[float, Gt(0), Le(1)] = 0.6
    mask: Region | None = None
    people: Sequence[str] = ()

    def __post_init__(self) -> None:
        people = cast(Any, self.people)
        check_picture(self.image, "init.image")
        check_values(self, "init.")
        if self.mask is not None and not isinstance(cast(Any, self.mask), Region):
            raise SceneError(
                f"init.mask: expected a Box, or a mask as picture or array, but got {type(self.mask).__name__}."
            )
        if isinstance(people, str) or not isinstance(people, Sequence):
            raise SceneError(f"init.people: expected a list of names, but got {people!r}.")
        if self.mask is not None and self.people:
            raise SceneError("init: expected either a mask or people, but got both.")

    @property
    def size(self) -> Size:
        """The picture's size in pixels."""
        return Size(*self.image.size)

    def painted_anew(
        self, regions: Float[Tensor, "people height width"], names: Sequence[str]
    ) -> Float[Tensor, "height width"] | None:
        """Where the picture may change: 1 where it is painted anew, 0 where it stays; None if that is everywhere.

        Args:
            regions: one mask per person of the scene.
            names: of these people.

        Raises:
            SceneError: when somebody is not in the scene.
            RegionError: when the mask does not fit the picture.
        """
        if self.mask is not None:
            return build_regions([Claim(person=0, region=self.mask, name="init.mask")], self.size, people=1)[0]
        if not self.people:
            return None
        unknown = [name for name in self.people if name not in names]
        if unknown:
            raise SceneError(
                f"init.people: expected names of people in the scene ({', '.join(names) or 'nobody'}), but got "
                f"{unknown[0]}."
            )
        return regions[[names.index(name) for name in self.people]].sum(dim=0).clamp(max=1).ceil()
