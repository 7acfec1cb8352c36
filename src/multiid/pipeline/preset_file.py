"""The format of a preset file: what may stand in it, and its published schema."""

from dataclasses import replace
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le, Len
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from multiid.geometry import Size
from multiid.pipeline.preset_record import Defaults, FaceBackend
from multiid.pipeline.schedulers import SCHEDULERS
from multiid.pipeline.sizing import AreaRule
from multiid.prompts import Layout
from multiid.validation import suggest

__all__ = ["DefaultsEntry", "PresetFile", "WeightsEntry", "preset_schema"]

_SIDE_MULTIPLE = 8  # pixels per latent

# Strict: neither "3" nor true is a number.
_CONFIG = ConfigDict(extra="forbid", frozen=True, strict=True)


class WeightsEntry(BaseModel):
    """Where one model comes from."""

    model_config = _CONFIG

    source: str = Field(
        min_length=1,
        description="hub repository owner/name, or a folder or file, relative to the preset file",
    )
    licence: str = Field("not stated", description="of the weights, as their makers state it")
    file: str | None = Field(None, description="which file of a repository or folder, where the model is but one")
    revision: str | None = Field(None, description="a commit of the repository, to have those very weights")


def _spelled_out(value: Any) -> Any:
    """A source by itself, as the entry that it is short for."""
    return {"source": value} if isinstance(value, str) else value


PartEntry = Annotated[
    WeightsEntry | None, BeforeValidator(_spelled_out, json_schema_input_type=str | WeightsEntry | None)
]


class AreaEntry(BaseModel):
    """How large a template's picture is: side**2 * places**growth pixels."""

    model_config = _CONFIG

    side: Annotated[int, Ge(64), Le(8192)] = Field(description="of a square picture of one place, in pixels")
    growth: Annotated[float, Ge(0), Le(1)] = Field(description="how the area grows with the places")


class DefaultsEntry(BaseModel):
    """Settings of scenes that leave them out; what is left out here is the other preset's, or sdxl's kind."""

    model_config = _CONFIG

    layout: Layout = Field("auto", description="where identities go")
    steps: Annotated[int, Ge(1), Le(1000)] = Field(50, description="denoising steps")
    guidance: Annotated[float, Ge(0), Le(100)] = Field(5.0, description="classifier-free guidance scale")
    style_strength: Annotated[float, Ge(0), Le(100)] | None = Field(
        20.0, description="percent of the steps that see text alone; null merges identities from the first step"
    )
    negative_prompt: str | None = Field(None, description="what should not be in the picture")
    scheduler: str | None = Field(None, description="name of the sampler; null takes the model's own")
    size: Annotated[list[Annotated[int, Ge(64), Le(8192)]], Len(2, 2)] = Field(
        [1024, 1024], description="width and height in pixels, where there is neither template nor pose"
    )
    area: AreaEntry | None = Field(None, description="how large a template's picture is; null takes its own size")
    limb_width: Annotated[float, Gt(0), Le(100)] = Field(
        4.0, description="half-width of the control image's limbs in pixels in a picture of 1024 by 1024"
    )

    @field_validator("scheduler")
    @classmethod
    def _known(cls, scheduler: str | None) -> str | None:
        if scheduler is not None and scheduler not in SCHEDULERS:
            raise ValueError(
                f"expected the name of a sampler, but got '{scheduler}'{suggest(scheduler, list(SCHEDULERS))}"
            )
        return scheduler

    @field_validator("size")
    @classmethod
    def _whole_latents(cls, size: list[int]) -> list[int]:
        if any(side % _SIDE_MULTIPLE for side in size):
            raise ValueError(f"expected multiples of {_SIDE_MULTIPLE}, but got {size[0]}x{size[1]}")
        return size

    def over(self, defaults: Defaults) -> Defaults:
        """Other settings with those that this entry gives."""
        given: dict[str, Any] = {key: getattr(self, key) for key in self.model_fields_set}
        if "size" in given:
            given["size"] = Size(*given["size"])
        if self.area is not None:
            given["area"] = AreaRule(side=self.area.side, growth=self.area.growth)
        return replace(defaults, **given)


class PresetFile(BaseModel):
    """A preset as a file: another one to start from, and what is different."""

    model_config = _CONFIG

    base_on: str | None = Field(None, description="name or file of the preset that gives what is left out here")
    title: str | None = Field(None, min_length=1, description="one line that says what it is")
    base: PartEntry = Field(None, description="the SDXL model")
    vae: PartEntry = Field(None, description="a VAE in place of the base's own; null takes that")
    controlnet: PartEntry = Field(None, description="the OpenPose ControlNet; null goes without")
    adapter: PartEntry = Field(None, description="the checkpoint with ID encoder and LoRA")
    lora: PartEntry = Field(None, description="a LoRA that becomes part of the base; null goes without")
    faces: FaceBackend | None = Field(None, description="who finds and recognises faces; null for nobody")
    half: bool = Field(True, description="whether the models run in 16 bits on an accelerator")
    notice: str | None = Field(None, description="what whoever looks at its pictures must know")
    defaults: DefaultsEntry = Field(
        default_factory=lambda: DefaultsEntry.model_validate({}), description="settings of scenes that leave them out"
    )


def preset_schema() -> dict[str, Any]:
    """The JSON schema of a preset file."""
    return PresetFile.model_json_schema()
