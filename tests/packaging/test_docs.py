"""The documents keep up with the code: links lead somewhere, commands and templates are all there, examples hold."""

import re
from pathlib import Path

import click
import pytest
import yaml
from conftest import ROOT

import multiid
from multiid import PRESETS, errors, template_names
from multiid.cli import main
from multiid.pipeline.scene_file import parse_scene, read_yaml

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def commands(group: click.Group, prefix: str = "multiid") -> list[str]:
    context = click.Context(group)
    found: list[str] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found += commands(command, f"{prefix} {name}") if isinstance(command, click.Group) else [f"{prefix} {name}"]
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text(encoding="utf-8"))
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("command", commands(main))
def test_every_command_is_documented(command: str) -> None:
    assert any(command in document.read_text(encoding="utf-8") for document in DOCUMENTS)


def test_the_page_of_commands_has_a_section_for_each() -> None:
    """With its options, which the build puts there, and an example."""
    text = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (multiid [^\n]+)\n(.*?)(?=^## |\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert sorted(name for name, _ in sections) == sorted(commands(main))
    for name, section in sections:
        assert f"<!-- command: {name} -->" in section
        assert re.search(rf"```sh\n(?:.*\n)*?{name}\b", section), name


def test_the_page_of_python_has_every_public_name() -> None:
    text = (ROOT / "docs" / "reference" / "python.md").read_text(encoding="utf-8")
    named = re.findall(r"^::: multiid\.(\w+)$", text, flags=re.MULTILINE)
    assert len(named) == len(set(named))
    assert set(named) - {"errors"} == set(multiid.__all__) - set(errors.__all__) - {"__version__"}
    assert "errors" in named


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_is_explained_and_its_licences_are(preset: str) -> None:
    guides = ROOT / "docs" / "guides"
    assert f"| `{preset}` |" in (guides / "real-weights.md").read_text(encoding="utf-8")
    rows = (guides / "licences.md").read_text(encoding="utf-8").splitlines()
    assert any(row.startswith("| ") and f"`{preset}`" in row for row in rows)


def test_every_page_is_in_the_navigation() -> None:
    text = re.sub(r"!!python\S+", "", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = {str(path.relative_to(ROOT / "docs")) for path in (ROOT / "docs").rglob("*.md")}
    assert set(re.findall(r"[\w/-]+\.md", str(yaml.safe_load(text)["nav"]))) == pages


def test_every_picture_can_be_made_again() -> None:
    """By a command of `make pictures`; the templates' previews by `make previews`, plots by the benchmarks."""
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    made = re.findall(r"(?:-o|--explain|cp \S+) (docs/\S+)", recipe)
    made += [name.replace(".png", "-explain.png") for name in re.findall(r"--explain -o (docs/\S+)", recipe)]
    for document in DOCUMENTS:
        for link in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", document.read_text(encoding="utf-8")):
            picture = (document.parent / link).resolve().relative_to(ROOT)
            plotted = picture.stem.startswith("performance")
            assert plotted or str(picture) in made or picture.parent.name == "previews", f"{document.name}: {link}"


def test_every_command_of_the_readme_is_there() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    named = re.findall(r"^multiid ([a-z]+)", "\n".join(blocks), flags=re.MULTILINE)
    assert named
    assert set(named) == {command.split()[1] for command in commands(main)}


def test_every_preset_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in text for name in PRESETS)


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_examples_follow_the_schema(example: Path) -> None:
    assert parse_scene(read_yaml(example), example.name).template in template_names()


def test_the_documents_name_no_machine_of_ours() -> None:
    for document in DOCUMENTS:
        assert not re.search(r"/work/|/root/|/tmp/", document.read_text(encoding="utf-8")), document
