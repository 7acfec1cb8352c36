"""A preset on this machine: what of it is here, what it needs, and what to do next."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open

from multiid.doctor.machine import Machine
from multiid.pipeline.inventory import Part, borrowed, take_stock
from multiid.pipeline.model_folders import needed_files, read_index
from multiid.pipeline.preset_record import Preset

__all__ = ["Diagnosis", "diagnose"]

_BYTES = {False: 4, True: 2}  # of a number: whether 16 bits are used


@dataclass(frozen=True)
class Diagnosis:
    """What there is to say of one preset.

    Attributes:
        preset: the preset.
        parts: its models, here or missing.
        weights: bytes that its models take where they are computed; None until all of them are here.
        steps: what to do next, the first thing first.
    """

    preset: Preset
    parts: tuple[Part, ...]
    weights: int | None
    steps: tuple[str, ...]

    @property
    def runs(self) -> bool:
        """Whether all that it needs is here."""
        return all(part.ready for part in self.parts)


def diagnose(preset: Preset, machine: Machine) -> Diagnosis:
    """Looks at a preset's parts, without loading any, and says what to do next.

    Raises:
        ModelFileError: when MULTIID_MODELS_DIR names something that is no folder.
    """
    parts = tuple(take_stock(preset))
    ready = all(part.ready for part in parts)
    half = preset.half and machine.device.name != "cpu"
    weights = sum(_numbers(part, borrowed(preset)) for part in parts) * _BYTES[half] if ready else None
    return Diagnosis(preset, parts, weights, tuple(_steps(preset, parts, weights, machine)))


def _steps(preset: Preset, parts: Sequence[Part], weights: int | None, machine: Machine) -> list[str]:
    steps: list[str] = []
    called = preset.file or preset.name
    missing = [part for part in parts if not part.ready]
    fetchable = [part for part in missing if part.fetchable]
    if fetchable:
        steps.append(f"multiid download {called}   (gets {_names(fetchable)})")
    for part in missing:
        if not part.fetchable:
            steps.append(f"get {part.name} yourself: {'; '.join(part.lacking)}")
    if missing:
        return steps
    free = machine.device.free
    if weights is not None and free is not None and weights > free:
        steps.append(
            f"add --offload model to commands: the models take {weights / 1e9:.1f} GB, and {machine.device.name} has "
            f"{free / 1e9:.1f} GB free"
        )
    if preset.half and machine.device.name == "cpu":
        steps.append("expect long waits: models of full size are made for an accelerator, and this machine shows none")
    if preset.base is None:
        steps.append("choose another preset for pictures: this one draws noise, to try the machinery")
    elif preset.faces == "mini":
        steps.append(f"multiid selftest --preset {called} -o selftest/   (whether it works as it should)")
    else:
        steps.append(
            f"multiid selftest --preset {called} --person NAME NOUN PHOTOS ... -o selftest/   (whether it works as it "
            "should: we have not run these weights)"
        )
    return steps


def _names(parts: Sequence[Part]) -> str:
    return ", ".join(part.name for part in parts)


def _numbers(part: Part, without: Sequence[str]) -> int:
    """How many numbers the networks of a part have; what is no safetensors counts as if it held 16 bits each."""
    if part.place is None or part.name == "faces":  # which run on the processor, and are small
        return 0
    if part.place.is_file():
        files = [part.place]
    else:
        names = [file.relative_to(part.place).as_posix() for file in part.place.rglob("*") if file.is_file()]
        files = [part.place / name for name in needed_files(names, read_index(part.place), without=without)]
    return sum(_numbers_in(file) for file in files)


def _numbers_in(file: Path) -> int:
    if file.suffix == ".safetensors":
        with safe_open(file, framework="np") as opened:  # reads the header alone
            return sum(math.prod(opened.get_slice(key).get_shape()) for key in opened.keys())  # noqa: SIM118
    return 0 if file.suffix in (".json", ".txt") else file.stat().st_size // 2
