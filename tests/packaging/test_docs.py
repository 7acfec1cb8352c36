"""The documents keep up with the code: links lead somewhere, commands and templates are all there, examples hold."""

import re
from pathlib import Path

import click
import pytest
from conftest import ROOT

from multiid import PRESETS, template_names
from multiid.cli import main
from multiid.pipeline.scene_file import parse_scene, read_yaml

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def commands(group: click.Group, prefix: str = "multiid") -> list[str]:
    context = click.Context(group)
    found: list[str] = []
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        found += commands(command, f"{prefix} {name}") if isinstance(command, click.Group) else [f"{prefix} {name}"]
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text(encoding="utf-8"))
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("command", commands(main))
def test_every_command_is_documented(command: str) -> None:
    assert any(command in document.read_text(encoding="utf-8") for document in DOCUMENTS)


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
