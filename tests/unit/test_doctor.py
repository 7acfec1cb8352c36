"""The doctor: what is here and missing, in words and exit codes, without loading a model or asking the network."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import huggingface_hub.constants
import pytest
import yaml
from click.testing import CliRunner, Result

from multiid import PRESETS, __version__, find_preset
from multiid.cli import main
from multiid.doctor.diagnosis import diagnose
from multiid.doctor.machine import Device, Extra, Machine, look_around
from multiid.doctor.report import describe
from multiid.modelfiles import MODELS_DIR_VARIABLE
from multiid.pipeline.user_presets import PRESETS_DIR_VARIABLE


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, an empty cache, nothing of the user's."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for variable in (MODELS_DIR_VARIABLE, PRESETS_DIR_VARIABLE):
        monkeypatch.delenv(variable, raising=False)


def doctor(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *arguments])


def section(result: Result, title: str) -> list[str]:
    blocks = {block.splitlines()[0]: block.splitlines()[1:] for block in result.stdout.split("\n\n")}
    return [line.strip() for line in blocks[title]]


def test_everything_is_looked_at() -> None:
    result = doctor()
    assert result.exit_code == 0, result.stderr
    packages = dict(line.split(maxsplit=1) for line in section(result, "packages"))
    assert packages["multiid"] == __version__
    assert set(packages) >= {"torch", "diffusers", "transformers", "huggingface-hub", "pydantic"}
    assert "MISSING" not in packages.values()
    assert any(line.startswith("insightface") for line in section(result, "extras"))
    assert any(line.startswith("device ") for line in section(result, "machine"))
    assert any("GB free" in line or "MB free" in line for line in section(result, "disk"))
    presets = dict(line.split(maxsplit=1) for line in section(result, "presets"))
    assert set(presets) == set(PRESETS)
    assert presets["mini"] == presets["tiny"] == "ready"
    assert presets["sdxl"] == "lacks base, vae, controlnet, adapter, faces"


def test_licences_and_next_steps_of_what_is_chosen() -> None:
    result = doctor("--preset", "sdxl-v2")
    assert result.exit_code == 1
    lines = section(result, "preset sdxl-v2")
    for part, licence in PRESETS["sdxl-v2"].licences.items():
        assert any(line.startswith(part) and "MISSING" in line and line.endswith(licence) for line in lines)
    first, second = section(result, "what to do next")
    assert first == "multiid download sdxl-v2   (gets base, vae, controlnet, adapter)"
    assert second.startswith("get faces yourself: Expected ")
    assert "non-commercial research only" in second


@pytest.mark.parametrize("name", ["mini", "tiny"])
def test_what_runs_is_said_to_run(name: str) -> None:
    result = doctor("--preset", name)
    assert result.exit_code == 0
    assert "MISSING" not in "".join(section(result, f"preset {name}"))
    assert section(result, "what to do next")


def test_names_that_are_wrong_are_bad_input() -> None:
    result = doctor("--preset", "sdlx")
    assert result.exit_code == 2
    assert "did you mean 'sdxl'" in result.stderr


def test_presets_of_the_user_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PRESETS_DIR_VARIABLE, str(tmp_path))
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump({"base_on": "mini", "vae": "owner/absent"}))
    (tmp_path / "broken.yaml").write_text("bas: x")
    result = doctor("--preset", "mine")
    assert result.exit_code == 1
    assert "mine        lacks vae" in section(result, "presets")
    assert any(line.startswith("broken      invalid: ") for line in section(result, "presets"))
    assert section(result, "what to do next") == [f"multiid download {tmp_path / 'mine.yaml'}   (gets vae)"]


def machine(**changes: object) -> Machine:
    plain = Machine("Python", {"multiid": "1"}, (), Device("cpu", "2 cores", None, None), None, ())
    return replace(plain, **changes)


def test_the_networks_size_is_read_from_their_files() -> None:
    """At four bytes a number on a processor; the files hold two."""
    diagnosis = diagnose(PRESETS["mini"], machine())
    on_disk = sum(part.size for part in diagnosis.parts if part.name != "faces")
    assert diagnosis.weights is not None
    print(f"on disk {on_disk}, in memory {diagnosis.weights}")
    assert 1.9 < diagnosis.weights / on_disk < 2.0
    assert diagnose(PRESETS["sdxl"], machine()).weights is None


def test_too_little_memory_is_told(tmp_path: Path) -> None:
    small = machine(device=Device("cuda", "a small GPU", 10**6, 10**6))
    assert any("--offload model" in step for step in diagnose(PRESETS["mini"], small).steps)
    large = machine(device=Device("cuda", "a large GPU", 10**12, 10**12))
    assert not any("--offload model" in step for step in diagnose(PRESETS["mini"], large).steps)
    (tmp_path / "half.yaml").write_text(yaml.safe_dump({"base_on": "mini", "half": True}))
    half = find_preset(str(tmp_path / "half.yaml"))
    assert (diagnose(half, large).weights or 0) * 2 == diagnose(PRESETS["mini"], large).weights
    assert any("expect long waits" in step for step in diagnose(half, machine()).steps)


def test_extras_name_their_command() -> None:
    told = describe(
        machine(extras=(Extra("heic", ()), Extra("insightface", ("onnxruntime",)))),
        [],
        diagnose(PRESETS["tiny"], machine()),
    )
    assert 'insightface   without: pip install "multiid[insightface]"' in told
    assert "heic          installed" in told


def test_the_machine_is_this_one() -> None:
    import torch

    found = look_around()
    assert (
        found.packages["torch"] == torch.__version__.partition("+")[0] or found.packages["torch"] == torch.__version__
    )
    assert found.memory is None or found.memory > 10**8
    assert all(disk.free > 0 for disk in found.disks)


@pytest.mark.parametrize("command", ["doctor", "download", "selftest", "presets"])
def test_help_loads_nothing_heavy(command: str, tmp_path: Path) -> None:
    code = (
        "import sys; from multiid.cli import main\n"
        f"try: main(['{command}', '--help'])\nexcept SystemExit: pass\n"
        "sys.exit(bool({'torch', 'numpy', 'pydantic', 'huggingface_hub'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0
