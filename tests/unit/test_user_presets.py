"""Presets of the user's own: found, read, based on others, recorded; what is wrong with a file is named."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from click.testing import CliRunner
from photos import blocks
from tinies import small_scene, write_scene

from multiid import PRESETS, Composer, PresetError, Size, find_preset, list_presets, preset_schema, read_recipe
from multiid.cli import main
from multiid.pipeline.sizing import AreaRule
from multiid.pipeline.user_presets import PRESETS_DIR_VARIABLE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the variable; the configuration folder is empty."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    (tmp_path / "presets").mkdir()
    monkeypatch.setenv(PRESETS_DIR_VARIABLE, str(tmp_path / "presets"))
    return tmp_path / "presets"


def write(folder: Path, name: str = "mine.yaml", **entry: Any) -> Path:
    file = folder / name
    file.write_text(yaml.safe_dump(entry))
    return file


def refusal(file: Path) -> str:
    with pytest.raises(PresetError) as caught:
        find_preset(str(file))
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{file}: ")
    return text.removeprefix(f"{file}: ")


def test_parts_and_settings_are_replaced(folder: Path) -> None:
    write(
        folder,
        base_on="sdxl",
        base={"source": "owner/other", "licence": "MIT", "revision": "abc"},
        vae=None,
        controlnet="owner/poses",
        defaults={"steps": 30, "style_strength": None, "size": [832, 1216], "area": {"side": 512, "growth": 0.5}},
        title="another base",
    )
    preset, sdxl = find_preset("mine"), PRESETS["sdxl"]
    assert (preset.name, preset.title, preset.file) == ("mine", "another base", folder / "mine.yaml")
    assert preset.base is not None
    assert (preset.base.source, preset.base.licence, preset.base.revision) == ("owner/other", "MIT", "abc")
    assert preset.vae is None
    assert preset.controlnet is not None
    assert (preset.controlnet.source, preset.controlnet.licence) == ("owner/poses", "not stated")
    assert (preset.adapter, preset.faces) == (sdxl.adapter, sdxl.faces)
    assert (preset.defaults.steps, preset.defaults.style_strength) == (30, None)
    assert preset.defaults.size == Size(832, 1216)
    assert preset.defaults.area == AreaRule(side=512, growth=0.5)
    assert (preset.defaults.scheduler, preset.defaults.limb_width) == ("euler", 12.0)


def test_found_by_name_by_path_and_in_the_configuration_folder(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "config" / "multiid" / "presets"
    config.mkdir(parents=True)
    write(config, "mine.yaml", base_on="tiny", title="configured")
    write(config, "other.yml", base_on="mine")
    assert find_preset("mine").title == "configured"
    write(folder, base_on="tiny", title="from the variable")
    assert find_preset("mine").title == "from the variable"
    assert find_preset("other").title == "from the variable, changed"
    assert find_preset(str(config / "mine.yaml")).title == "configured"


def test_one_may_be_based_on_a_file_beside_it(tmp_path: Path) -> None:
    write(tmp_path, "first.yaml", base_on="sdxl", defaults={"steps": 12})
    second = write(tmp_path, "second.yaml", base_on="first.yaml", defaults={"guidance": 2.0})
    preset = find_preset(str(second))
    assert (preset.defaults.steps, preset.defaults.guidance) == (12, 2.0)


def test_a_preset_may_stand_alone(tmp_path: Path) -> None:
    preset = find_preset(str(write(tmp_path, base="owner/sdxl", adapter="owner/adapters/a.safetensors")))
    assert set(preset.licences) == {"base", "adapter"}
    assert preset.title == "models of mine.yaml"


def test_paths_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a" / "models").mkdir(parents=True)
    (tmp_path / "a" / "models" / "x.safetensors").write_bytes(b"")
    file = write(tmp_path / "a", base_on="sdxl", base="models/x.safetensors")
    monkeypatch.chdir(tmp_path)
    base = find_preset("a/mine.yaml").base
    assert base is not None
    assert base.source == str(tmp_path / "a" / "models" / "x.safetensors")
    assert find_preset(str(file)).recorded == find_preset("a/mine.yaml").recorded


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"base_on": "sdxl", "bas": "x/y"}, "bas: unknown key; did you mean 'base' or 'base_on'?"),
        ({"base_on": "sdxl", "defaults": {"stepz": 3}}, "defaults.stepz: unknown key; did you mean 'steps'?"),
        ({"base_on": "sdxl", "defaults": {"steps": 0}}, "defaults.steps: "),
        ({"base_on": "sdxl", "defaults": {"steps": "8"}}, "defaults.steps: "),
        ({"base_on": "sdxl", "defaults": {"guidance": -1.0}}, "defaults.guidance: "),
        ({"base_on": "sdxl", "defaults": {"layout": "stak"}}, "defaults.layout: "),
        ({"base_on": "sdxl", "defaults": {"scheduler": "eulr"}}, "did you mean 'euler'"),
        ({"base_on": "sdxl", "defaults": {"size": [1000, 1001]}}, "defaults.size: expected multiples of 8"),
        ({"base_on": "sdxl", "defaults": {"area": {"side": 3, "growth": 0.5}}}, "defaults.area.side: "),
        ({"base_on": "sdxl", "base": 3}, "base: "),
        ({"base_on": "sdxl", "base": {"licence": "MIT"}}, "base.source: "),
        ({"base_on": "sdxl", "vae": {"source": "x/y", "commit": "1"}}, "vae.commit: unknown key"),
        ({"base_on": "sdxl", "base": "./nothing"}, "base.source: expected a hub repository owner/name, or a file or"),
        ({"base_on": "sdxl", "lora": "fast.safetensors"}, "lora.source: expected a hub repository"),
        ({"base_on": "sdxl", "faces": "dlib"}, "faces: "),
        ({"base_on": "sdlx"}, "base_on: Expected the name of a preset or a .yaml file, but got 'sdlx'; did you mean"),
        ({"base_on": "no.yaml"}, "base_on: "),
        ({"base_on": "mine.yaml"}, "base_on: expected another preset, but it is based on itself."),
        ({"base_on": "tiny", "base": "x/y"}, "base: expected a preset whose models can be replaced, but tiny is built"),
        ({"base": "x/y"}, "adapter: expected a source, since without it there is nothing to run"),
        ({}, "base: expected a source"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_key(tmp_path: Path, entry: dict[str, Any], said: str) -> None:
    text = refusal(write(tmp_path, **entry))
    assert said in text


@pytest.mark.parametrize("content", ["", "- a\n- b\n", "just words"])
def test_other_yaml_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    assert "expected keys such as base_on and base, but got" in refusal(file)


def test_names_are_kept_apart(folder: Path) -> None:
    shadow = write(folder, "sdxl.yaml", base_on="tiny")
    assert find_preset("sdxl") is PRESETS["sdxl"]
    assert "that is a preset of the package; rename it." in refusal(shadow)
    assert "letters, digits, dots, - and _ are possible" in refusal(write(folder, "my preset.yaml", base_on="tiny"))


def test_unknown_names_propose_the_users_own(folder: Path) -> None:
    write(folder, "juggernaut.yaml", base_on="sdxl")
    with pytest.raises(PresetError, match="but got 'jugernaut'; did you mean 'juggernaut'"):
        find_preset("jugernaut")


def test_a_folder_that_is_none_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PRESETS_DIR_VARIABLE, str(folder / "absent"))
    with pytest.raises(PresetError, match=f"Expected {PRESETS_DIR_VARIABLE} to name a folder, but .*absent is none"):
        find_preset("mine")
    assert find_preset("sdxl") is PRESETS["sdxl"]


def test_a_recipe_knows_when_models_change(folder: Path) -> None:
    write(folder, base_on="sdxl", defaults={"steps": 12})
    recorded = find_preset("mine").recorded
    name, _, digest = recorded.partition("@")
    assert (name, len(digest)) == ("mine", 12)
    assert find_preset(recorded).name == "mine"
    # What a recipe holds anyway may change; so may a licence that was looked up.
    write(folder, base_on="sdxl", defaults={"steps": 30}, title="another title")
    assert find_preset(recorded).defaults.steps == 30
    write(folder, base_on="sdxl", vae="owner/other")
    with pytest.raises(PresetError, match=f"Expected the preset mine as it was \\({recorded}\\), but .* names other"):
        find_preset(recorded)
    assert PRESETS["sdxl"].recorded == "sdxl"


def test_listing_shows_them_all(folder: Path) -> None:
    write(folder, "broken.yaml", base_on="sdxl", bas="x")
    write(folder, "mine.yaml", base_on="mini", title="in a hurry")
    write(folder, "tiny.yaml", base_on="sdxl")
    listed = {(preset.name, preset.file is None): preset for preset in list_presets()}
    assert [name for name, own in listed if own] == list(PRESETS)
    assert listed["mine", False].missing == ()
    assert listed["broken", False].missing is None
    assert "bas: unknown key" in listed["broken", False].title
    assert listed["tiny", False].missing is None
    output = CliRunner().invoke(main, ["presets", "list"])
    assert output.exit_code == 0, output.output
    lines = output.stdout.splitlines()
    assert [line.split()[0] for line in lines] == [*PRESETS, "broken", "mine", "tiny"]
    assert f"mine        ready    in a hurry  ({folder / 'mine.yaml'})" in lines
    shown = CliRunner().invoke(main, ["presets", "show", "sdxl-fast"]).stdout
    assert "lora       ByteDance/SDXL-Lightning  (CreativeML Open RAIL++-M)" in shown
    assert "scheduler       euler-trailing" in shown


def test_the_schema_says_what_may_stand_there() -> None:
    schema = preset_schema()
    assert set(schema["properties"]) >= {"base_on", "base", "lora", "defaults"}
    assert all("description" in entry for entry in schema["properties"].values())
    assert "string" in {option.get("type") for option in schema["properties"]["base"]["anyOf"]}
    result = CliRunner().invoke(main, ["schema", "preset"])
    assert '"base_on"' in result.stdout


def test_pictures_are_made_with_it(folder: Path, tmp_path: Path) -> None:
    """By name and by path, with its settings; a scene's own count more."""
    file = write(folder, base_on="tiny", defaults={"steps": 3, "guidance": 1.0, "style_strength": None})
    for called in ("mine", str(file)):
        composer = Composer.from_preset(called, device="cpu")
        composer.pipeline.set_progress_bar_config(disable=True)
        people = [composer.identity("ada", "woman", blocks(0)), composer.identity("isaac", "man", blocks(1))]
        recipe = composer.compose(small_scene(people, steps=None, merge_step=None)).recipe
        assert (recipe.scene.steps, recipe.scene.guidance, recipe.scene.merge_step) == (3, 1.0, -1)
    scene = write_scene(tmp_path)
    for out in ("a.png", "b.png"):
        where = ["--preset", "mine" if out == "a.png" else str(file), "-o", str(tmp_path / out), "--device", "cpu"]
        result = CliRunner().invoke(main, ["compose", str(scene), *where, "--save-people", str(tmp_path)])
        assert result.exit_code == 0, result.stderr
    again = ["compose", "--from", str(tmp_path / "a.png"), "--people", str(tmp_path), "-o", str(tmp_path / "c.png")]
    assert CliRunner().invoke(main, [*again, "--device", "cpu"]).exit_code == 0
    assert (read_recipe(tmp_path / "c.png").preset or "").partition("@")[0] == "mine"
    import PIL.Image

    pictures = [np.asarray(PIL.Image.open(tmp_path / name)) for name in ("a.png", "b.png", "c.png")]
    assert np.array_equal(pictures[0], pictures[1])
    assert np.array_equal(pictures[0], pictures[2])


def test_the_fast_preset() -> None:
    """What SDXL-Lightning asks for: its steps, trailing timesteps, no guidance; no step is spent on text alone."""
    fast = PRESETS["sdxl-fast"]
    assert fast.lora is not None
    assert (fast.lora.source, fast.lora.file) == ("ByteDance/SDXL-Lightning", "sdxl_lightning_8step_lora.safetensors")
    settings = fast.defaults
    assert (settings.steps, settings.guidance, settings.style_strength) == (8, 0.0, None)
    assert settings.scheduler == "euler-trailing"
    assert (fast.base, fast.vae, fast.controlnet, fast.adapter) == (
        PRESETS["sdxl"].base, PRESETS["sdxl"].vae, PRESETS["sdxl"].controlnet, PRESETS["sdxl"].adapter,
    )  # fmt: skip
