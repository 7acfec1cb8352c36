"""What comes out: the pictures of a scene, where everybody was meant to be, and the recipe."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import PIL.Image
from torch import Tensor

from multiid.errors import OutputError
from multiid.explain import explain_picture
from multiid.files import require_place, write_whole
from multiid.marks import generated_info
from multiid.pipeline.anchor import Anchor
from multiid.pipeline.recipe import RECIPE_KEY, Recipe
from multiid.pipeline.staging import Stage
from multiid.pipeline.verification import Verification

__all__ = ["Picture", "picture_files"]


@dataclass(frozen=True)
class Picture:
    """The result of one call: one picture, or several of the same scene.

    Attributes:
        images: the pictures; none where latents were asked for.
        latents: final latents (pictures, channels, rows, columns) where they were asked for.
        recipes: for each picture everything needed to make it again, but the people themselves.
        stage: skeletons, control image and regions.
        names: of the people, in the order of the scene.
        read: who is read how by the text encoders, as ("scene" or a person's name, text).
        notes: what the user should know, such as words that were cut.
        verifications: for each picture who was found in it; none where that was not asked for.
        anchors: of those who were recorded, by name.
    """

    images: tuple[PIL.Image.Image, ...]
    latents: Tensor | None
    recipes: tuple[Recipe, ...]
    stage: Stage
    names: tuple[str, ...]
    read: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    verifications: tuple[Verification, ...] = ()
    anchors: Mapping[str, Anchor] = field(default_factory=dict[str, Anchor])

    @property
    def image(self) -> PIL.Image.Image:
        """The first picture."""
        return self.images[0]

    @property
    def recipe(self) -> Recipe:
        """The first picture's recipe."""
        return self.recipes[0]

    @property
    def verification(self) -> Verification | None:
        """Who was found in the first picture, and what was tried; None where that was not asked for."""
        return self.verifications[0] if self.verifications else None

    def only(self, index: int) -> "Picture":
        """One picture of the batch, or its latents, by itself.

        Raises:
            IndexError: when there is no picture of that index.
        """
        one = slice(index, index + 1)
        if not 0 <= index < len(self.recipes):
            raise IndexError(f"Expected an index from 0 to {len(self.recipes) - 1}, but got {index}.")
        latents = None if self.latents is None else self.latents[one]
        return replace(
            self,
            images=self.images[one],
            latents=latents,
            recipes=self.recipes[one],
            verifications=self.verifications[one],
        )

    def save(self, path: str | os.PathLike[str]) -> list[Path]:
        """Writes the picture as PNG with its recipe inside; several become name-1.png, name-2.png and so on.

        Each file is written whole or not at all, and holds no time stamp.

        Returns:
            The files written.

        Raises:
            OutputError: when there are no pixels, the name does not end in .png, or the place cannot be written.
        """
        target = Path(path)
        if target.suffix.lower() != ".png":
            raise OutputError(f"Expected a file name ending in .png, which carries the recipe, but got {target}.")
        if not self.images:
            raise OutputError("Expected pictures to save, but only latents were made: compose without output_type.")
        files = picture_files(target, len(self.images))
        for file in files:
            require_place(file)  # before the first is written: all of them or none
        for file, image, recipe in zip(files, self.images, self.recipes, strict=True):
            with write_whole(file) as temporary:
                image.save(temporary, format="PNG", pnginfo=generated_info({RECIPE_KEY: recipe.to_json()}))
        return files

    def explain(self) -> PIL.Image.Image:
        """Control image, regions with names, and picture side by side; beneath them words that were read or found."""
        found = () if self.verification is None else self.verification.lines
        return explain_picture(
            control=self.stage.control,
            regions=self.stage.regions,
            names=self.names,
            picture=self.images[0] if self.images else None,
            lines=(*(f"{who}: {text}" for who, text in self.read), *self.notes, *found),
        )


def picture_files(path: Path, count: int) -> list[Path]:
    """The files that so many pictures of one call are saved as: `path` itself, or name-1.png, name-2.png and so on."""
    return [path] if count == 1 else [path.with_stem(f"{path.stem}-{number}") for number in range(1, count + 1)]
