"""Presets: which models make up a composer, under which licences, and the settings that suit them.

A preset is a record, not code. `revision` stays None until somebody has run those very weights and verified them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from multiid.conditioning import Layout
from multiid.errors import PresetError
from multiid.geometry import Size
from multiid.pipeline.sizing import AreaRule
from multiid.validation import suggest

__all__ = ["PRESETS", "Defaults", "Preset", "Weights", "find_preset"]


_SQUARE = Size(1024, 1024)

_FACES = {
    "opencv": "Apache-2.0",
    "insightface": "InsightFace model packs: non-commercial research only",
    "mini": "Apache-2.0",
}
"""Licences of the face analyzers' models."""


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
        defaults: settings that suit these models.
        notice: what whoever looks at its pictures must know.
        half: whether the models are meant to run in 16 bits on an accelerator.
    """

    name: str
    title: str
    base: Weights | None
    vae: Weights | None = None
    controlnet: Weights | None = None
    adapter: Weights | None = None
    faces: Literal["opencv", "insightface", "mini"] | None = None
    defaults: Defaults = Defaults()
    notice: str | None = None
    half: bool = True

    @property
    def licences(self) -> dict[str, str]:
        """The licence of each part that has weights; none for a preset that is built from random numbers."""
        parts = {"base": self.base, "vae": self.vae, "controlnet": self.controlnet, "adapter": self.adapter}
        licences = {part: weights.licence for part, weights in parts.items() if weights is not None}
        if self.faces is not None:
            licences["faces"] = _FACES[self.faces]
        return licences


_SDXL = Preset(
    name="sdxl",
    title="RealVisXL V4 with PhotoMaker V1 and OpenPose; no part is restricted to non-commercial use",
    base=Weights("SG161222/RealVisXL_V4.0", "CreativeML Open RAIL++-M"),
    vae=Weights("madebyollin/sdxl-vae-fp16-fix", "MIT"),
    controlnet=Weights("xinsir/controlnet-openpose-sdxl-1.0", "Apache-2.0"),
    adapter=Weights("TencentARC/PhotoMaker", "Apache-2.0", file="photomaker-v1.bin"),
    faces="opencv",
    defaults=Defaults(scheduler="euler", limb_width=12.0),
)

_MINI = Path(__file__).parents[1] / "mini" / "weights"


def _of_mini(part: str = "") -> Weights:
    return Weights(str(_MINI / part), "Apache-2.0")


PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        _SDXL,
        replace(
            _SDXL,
            name="sdxl-v2",
            title="RealVisXL V4 with PhotoMaker V2, nearer to the face; needs InsightFace (non-commercial)",
            adapter=Weights("TencentARC/PhotoMaker-V2", "Apache-2.0", file="photomaker-v2.bin"),
            faces="insightface",
        ),
        Preset(
            name="mini",
            title="a miniature SDXL for cartoon people of a world of its own, part of the package",
            base=_of_mini(),
            controlnet=_of_mini("controlnet"),
            adapter=_of_mini("adapter.safetensors"),
            faces="mini",
            defaults=Defaults(
                layout="stack",
                steps=20,
                guidance=2.0,
                style_strength=None,
                size=Size(128, 128),
                area=AreaRule(side=128, growth=0.6),
                limb_width=8.0,
            ),
            notice="The preset mini draws cartoon people of a world of its own: for real people take sdxl or sdxl-v2.",
            half=False,
        ),
        Preset(
            name="tiny",
            title="a few random numbers in the shape of SDXL, to try the machinery; its pictures are noise",
            base=None,
            defaults=Defaults(layout="stack", steps=4, size=Size(256, 256), scheduler="euler"),
            notice="The preset tiny has random weights: its pictures are noise, and show only that everything runs.",
            half=False,
        ),
    )
}
"""Name to preset."""


def find_preset(name: str) -> Preset:
    """The preset of that name.

    Raises:
        PresetError: when there is none; the nearest is proposed.
    """
    if name in PRESETS:
        return PRESETS[name]
    raise PresetError(f"Expected the name of a preset, but got '{name}'{suggest(name, list(PRESETS))}")
