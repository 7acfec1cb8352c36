"""Makes a trial's pictures with the public composer, and reads them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import PIL.Image
import torch
from jaxtyping import Float64

from multiid.geometry import Box
from multiid.mini.faces import MiniFaces
from multiid.mini.figures.judges import PlaceJudge
from multiid.mini.figures.measured import Measured
from multiid.mini.figures.reading import portraits_direction, read_picture
from multiid.mini.figures.trials import Trial, draw_photos, draw_references
from multiid.mini.world.people import Person
from multiid.pipeline.composer import Composer
from multiid.pipeline.scene import Person as Member
from multiid.pipeline.scene import Scene

__all__ = ["MANY_STEPS", "Lab", "Variant", "trial_scene"]

Variant = Literal["masks on", "masks off", "many steps", "exchanged"]
"""How a scene's picture is made: as it should be, with everybody heard everywhere, in `MANY_STEPS`, and with one person
exchanged."""

MANY_STEPS = 20


def trial_scene(composer: Composer, trial: Trial, *, steps: int) -> Scene:
    """A trial as a user would write it, with identities from a few portraits of each person."""
    people = [
        Member(composer.identity(name, person.noun, draw_photos(person, seed=trial.seed)), phrase=str(clothes))
        for name, person, clothes in zip(trial.names, trial.cast.people, trial.cast.clothes, strict=True)
    ]
    return Scene(
        trial.prompt,
        people,
        pose=trial.pose,
        width=trial.pose.size.width,
        height=trial.pose.size.height,
        steps=steps,
        seed=trial.seed,
    )


class Lab:
    """A composer, and who judges its pictures.

    Args:
        composer: makes pictures.
        steps: denoising steps.
        judge: tells places.
        faces: finds and reads faces.
    """

    def __init__(self, composer: Composer, *, steps: int, judge: PlaceJudge, faces: MiniFaces) -> None:
        composer.pipeline.set_progress_bar_config(disable=True)
        self.composer = composer
        self.steps = steps
        self.judge = judge
        self.faces = faces

    def measure(self, trial: Trial, variants: Sequence[Variant], *, keep: bool = False) -> Measured:
        """Makes a trial's pictures, one for each variant, and reads them and the true render.

        Args:
            trial: what to make.
            variants: how to make it.
            keep: whether the result holds the pictures even where every face is right.
        """
        truth = trial.truth()
        pictures = {"true": truth.picture, "round trip": self.round_trip(truth.picture)}
        for variant in variants:
            pictures[variant] = self.make(trial, variant)
        references = [self._reference(person, trial.seed) for person in trial.cast.people]
        measured = Measured(
            trial=trial,
            references=np.stack(references),
            newcomer=self._reference(trial.newcomer, trial.seed),
            readings={
                name: read_picture(picture, truth, trial.cast.place, faces=self.faces, judge=self.judge)
                for name, picture in pictures.items()
            },
            errors=_face_errors(pictures["true"], pictures["round trip"], [p.face for p in truth.people]),
            pictures=pictures,
        )
        missed = "masks on" in pictures and not all(measured.hits("masks on"))
        return measured if keep or missed else replace(measured, pictures={})

    def make(self, trial: Trial, variant: Variant) -> PIL.Image.Image:
        """A trial's picture."""
        if variant == "exchanged":
            trial = trial.with_newcomer()
        scene = trial_scene(self.composer, trial, steps=MANY_STEPS if variant == "many steps" else self.steps)
        return self.composer.compose(replace(scene, mask_rule="none") if variant == "masks off" else scene).image

    @torch.no_grad()
    def round_trip(self, picture: PIL.Image.Image) -> PIL.Image.Image:
        """A picture, its sides multiples of 8, through the autoencoder and back."""
        vae = self.composer.pipeline.vae
        pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None].float() / 127.5 - 1
        latents = vae.encode(pixels.to(vae.device, vae.dtype)).latent_dist.mode()
        decoded = vae.decode(latents).sample[0].float().cpu()
        back = ((decoded.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
        return PIL.Image.fromarray(back.permute(1, 2, 0).numpy())

    def _reference(self, person: Person, seed: int) -> Float64[np.ndarray, " channels"]:
        """What the recogniser makes of portraits that the generator never gets."""
        return portraits_direction(draw_references(person, seed=seed), self.faces)


def _face_errors(
    one: PIL.Image.Image, other: PIL.Image.Image, faces: Sequence[Box | None]
) -> Float64[np.ndarray, " faces"]:
    """The mean squared difference of two pictures in each face's box."""
    squared = np.square(np.asarray(one).astype(np.float64) - np.asarray(other))
    errors: list[float] = []
    for face in faces:
        if face is None:
            continue
        left, top, right, bottom = (max(0, round(corner)) for corner in face.corners)
        errors.append(float(squared[top:bottom, left:right].mean()))
    return np.array(errors)
