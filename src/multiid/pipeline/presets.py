"""The presets: which models make up a composer, under which licences, and the settings that suit them.

A preset is a record, not code. `revision` stays None until somebody has run those very weights and verified them.
Users add theirs as files (`user_presets`).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from multiid.errors import PresetError
from multiid.geometry import Size
from multiid.pipeline.preset_record import Defaults, Preset, Weights
from multiid.pipeline.sizing import AreaRule
from multiid.pipeline.user_presets import is_preset_file, read_preset, user_preset_files
from multiid.validation import suggest

__all__ = ["PRESETS", "Defaults", "Preset", "Weights", "find_preset", "preset_names"]


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
        replace(
            _SDXL,
            name="sdxl-fast",
            title="RealVisXL V4 with PhotoMaker V1 in 8 steps without guidance, by SDXL-Lightning's LoRA",
            lora=Weights(
                "ByteDance/SDXL-Lightning", "CreativeML Open RAIL++-M", file="sdxl_lightning_8step_lora.safetensors"
            ),
            # As SDXL-Lightning asks: as many steps as the LoRA was made for, trailing, without guidance. Few steps
            # leave none to spare for text alone.
            defaults=Defaults(steps=8, guidance=0.0, style_strength=None, scheduler="euler-trailing", limb_width=12.0),
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
                steps=8,
                guidance=2.0,
                style_strength=None,
                size=Size(128, 128),
                area=AreaRule(side=128, growth=0.6),
                limb_width=8.0,
                refine_below=18.0,
                refine_side=128,
            ),
            notice="The preset mini draws cartoon people of a world of its own: for real people take sdxl or sdxl-v2.",
            half=False,
        ),
        Preset(
            name="tiny",
            title="a few random numbers in the shape of SDXL, to try the machinery; its pictures are noise",
            base=None,
            defaults=Defaults(layout="stack", steps=4, size=Size(256, 256), scheduler="euler", refine_side=128),
            notice="The preset tiny has random weights: its pictures are noise, and show only that everything runs.",
            half=False,
        ),
    )
}
"""Name to preset."""


def preset_names() -> list[str]:
    """The names of all presets, those of the package first.

    Raises:
        PresetError: when MULTIID_PRESETS_DIR names something that is no folder.
    """
    return [*PRESETS, *(name for name in user_preset_files() if name not in PRESETS)]


def find_preset(name: str) -> Preset:
    """The preset of that name, of the package or of the user, or that of a file.

    Args:
        name: a name, the path of a .yaml file, or what a recipe calls a user's preset, "name@digest".

    Raises:
        PresetError: when there is none (the nearest is proposed), its file is invalid, or it is not what it was when
            the recipe was made.
    """
    return _find(name, ())


def _find(name: str, under_way: tuple[str, ...]) -> Preset:
    if name in PRESETS:
        return PRESETS[name]
    called, _, digest = name.partition("@")
    file = Path(name) if is_preset_file(name) else user_preset_files().get(called)
    if file is None:
        raise PresetError(
            f"Expected the name of a preset or a .yaml file, but got '{name}'{suggest(called, preset_names())}"
        )
    place = str(file.resolve())
    if place in under_way:
        raise PresetError(f"{file}: base_on: expected another preset, but it is based on itself.")
    preset = read_preset(file, find=lambda other: _find(other, (*under_way, place)), taken=tuple(PRESETS))
    if digest and not is_preset_file(name) and preset.recorded != name:
        raise PresetError(
            f"Expected the preset {called} as it was ({name}), but {file} names other models by now: bring those back, "
            f"or give --preset {called} to use them as they are."
        )
    return preset
