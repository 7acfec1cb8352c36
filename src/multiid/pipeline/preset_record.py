"""What a preset is: a record of models, their licences, and the settings that suit them."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from multiid.geometry import Size
from multiid.modelfiles import is_repository
from multiid.pipeline.sizing import AreaRule
from multiid.prompts import Layout

__all__ = ["Defaults", "FaceBackend", "Preset", "Weights"]

FaceBackend = Literal["opencv", "insightface", "mini"]
"""Who finds and recognises faces."""

_SQUARE = Size(1024, 1024)

_FACES: dict[FaceBackend, str] = {
    "opencv": "Apache-2.0",
    "insightface": "InsightFace model packs: non-commercial research only",
    "mini": "Apache-2.0",
}
"""Licences of the face analyzers' models."""

_DIGITS = 12  # of a digest that a recipe names


@dataclass(frozen=True)
class Weights:
    """Where one model's weights come from.

    Attributes:
        source: a hub repository, a local folder, or a single .safetensors file.
        licence: of the weights, as their makers state it.
        file: which file of a repository, where the model is but one file of it.
        revision: the verified commit of the repository, or None.
    """

    source: str
    licence: str
    file: str | None = None
    revision: str | None = None


@dataclass(frozen=True)
class Defaults:
    """Settings of a scene that leaves them out.

    Attributes:
        layout: where identities go.
        steps: denoising steps.
        guidance: classifier-free guidance scale.
        style_strength: share of the steps, in percent, before identities are merged; at 0 the first step still sees
            text alone, as in PhotoMaker. None merges them from the first step, for a denoiser that was trained so.
        negative_prompt: what should not be in the picture.
        scheduler: name of the sampler, or None for the model's own.
        size: of the picture, where there is neither template nor pose.
        area: how large a template's or pose's picture is, for models whose pictures are not of the templates' sizes;
            None takes their own. A size that the scene gives counts more.
        limb_width: half-width of the control image's limbs in pixels in a picture of 1024 by 1024; it grows with
            the picture's area. Some OpenPose ControlNets for SDXL want thicker limbs than OpenPose's 4.
        refine_below: faces less wide than this, in pixels, are small to `refine_faces`.
        refine_side: of the square to which it enlarges what is around a face, in pixels.
    """

    layout: Layout = "auto"
    steps: int = 50
    guidance: float = 5.0
    style_strength: float | None = 20.0
    negative_prompt: str | None = None
    scheduler: str | None = None
    size: Size = _SQUARE
    area: AreaRule | None = None
    limb_width: float = 4.0
    refine_below: float = 160.0
    refine_side: int = 768


@dataclass(frozen=True)
class Preset:
    """The models of one composer.

    Attributes:
        name: how users call it.
        title: one line that says what it is.
        base: the SDXL model; None where there are no weights.
        vae: a VAE in place of the base's own.
        controlnet: the OpenPose ControlNet.
        adapter: the checkpoint with ID encoder and LoRA.
        faces: the face analyzer's backend, or None for none.
        lora: a LoRA that becomes part of the base when it is loaded, such as one that makes do with few steps.
        defaults: settings that suit these models.
        notice: what whoever looks at its pictures must know.
        half: whether the models are meant to run in 16 bits on an accelerator.
        file: the user's file that says all this; None for a preset of the package.
    """

    name: str
    title: str
    base: Weights | None
    vae: Weights | None = None
    controlnet: Weights | None = None
    adapter: Weights | None = None
    faces: FaceBackend | None = None
    lora: Weights | None = None
    defaults: Defaults = Defaults()
    notice: str | None = None
    half: bool = True
    file: Path | None = None

    @property
    def parts(self) -> dict[str, Weights]:
        """The parts that have weights of their own, by name."""
        parts = {
            "base": self.base,
            "vae": self.vae,
            "controlnet": self.controlnet,
            "adapter": self.adapter,
            "lora": self.lora,
        }
        return {part: weights for part, weights in parts.items() if weights is not None}

    @property
    def licences(self) -> dict[str, str]:
        """The licence of each part that has weights; none for a preset that is built from random numbers."""
        licences = {part: weights.licence for part, weights in self.parts.items()}
        if self.faces is not None:
            licences["faces"] = _FACES[self.faces]
        return licences

    @property
    def recorded(self) -> str:
        """How a recipe names it: a user's own preset as "name@digest", since its file may change.

        The digest covers what changes pictures and is not in a recipe already: the models and the width of limbs. Of
        files on this machine only the name counts, so that a folder may be moved.
        """
        if self.file is None:
            return self.name
        models = {part: {**asdict(weights), "licence": None} for part, weights in self.parts.items()}
        for weights in models.values():
            source = str(weights["source"])
            weights["source"] = source if is_repository(source) else Path(source).name
        told = json.dumps([models, self.faces, self.defaults.limb_width], sort_keys=True)
        return f"{self.name}@{hashlib.sha256(told.encode()).hexdigest()[:_DIGITS]}"
