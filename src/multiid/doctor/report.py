"""The doctor's report as text, to be read on a terminal or pasted into an issue."""

from collections.abc import Sequence

from multiid.doctor.diagnosis import Diagnosis
from multiid.doctor.machine import Machine
from multiid.pipeline.listing import ListedPreset

__all__ = ["describe"]


def describe(machine: Machine, presets: Sequence[ListedPreset], diagnosis: Diagnosis) -> str:
    """Everything, section by section, with what to do next at the end."""
    sections = {
        "packages": _packages(machine),
        "extras": _extras(machine),
        "machine": _machine(machine),
        "disk": [f"{disk.title}: {disk.folder}, {_size(disk.free)} free" for disk in machine.disks],
        "presets": [_listed(preset) for preset in presets],
        f"preset {diagnosis.preset.name}": _diagnosis(diagnosis),
        "what to do next": list(diagnosis.steps),
    }
    return "\n\n".join(
        "\n".join([title, *(f"  {line}" for line in lines)]) for title, lines in sections.items() if lines
    )


def _packages(machine: Machine) -> list[str]:
    width = max(map(len, machine.packages)) + 2
    return [
        machine.system,
        *(
            f"{name:<{width}}{version or 'MISSING: install multiid again'}"
            for name, version in machine.packages.items()
        ),
    ]


def _extras(machine: Machine) -> list[str]:
    return [
        f"{extra.name:<14}" + (f'without: pip install "multiid[{extra.name}]"' if extra.missing else "installed")
        for extra in machine.extras
    ]


def _machine(machine: Machine) -> list[str]:
    device = machine.device
    lines = [f"device {device.name}: {device.title}"]
    if device.memory is not None and device.free is not None:
        lines.append(f"its memory: {_size(device.memory)}, {_size(device.free)} free")
    if machine.memory is not None:
        lines.append(f"main memory: {_size(machine.memory)}")
    return lines


def _listed(preset: ListedPreset) -> str:
    if preset.missing is None:
        return f"{preset.name:<12}invalid: {preset.title}"
    return f"{preset.name:<12}" + (f"lacks {', '.join(preset.missing)}" if preset.missing else "ready")


def _diagnosis(diagnosis: Diagnosis) -> list[str]:
    lines = [diagnosis.preset.title]
    for part in diagnosis.parts:
        state = "here" if part.ready else "MISSING"
        size = f", {_size(part.size)}" if part.size else ""
        lines.append(f"{part.name:<11}{state:<8}{part.source}{size}, licence: {part.licence}")
    if diagnosis.weights:
        lines.append(f"its networks take {_size(diagnosis.weights)} where they are computed")
    if diagnosis.preset.notice:
        lines.append(diagnosis.preset.notice)
    return lines


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
