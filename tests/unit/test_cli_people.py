"""`multiid people split` and `multiid people mix`, as a user types them."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from click.testing import CliRunner, Result
from tinies import write_scene

from multiid import Identity, read_recipe
from multiid.cli import main
from multiid.mini.world.people import make_person
from multiid.mini.world.portrait import draw_portrait


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], prog_name="multiid")


def succeed(*arguments: object) -> Result:
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    return result


def refused(*arguments: object) -> str:
    """The one line said."""
    result = run(*arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("multiid: error: ")
    return line


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def couple(tmp_path: Path) -> tuple[Path, Path]:
    """Ada's identity file, of one photo, and Isaac's, of two."""
    files = (tmp_path / "ada.safetensors", tmp_path / "isaac.safetensors")
    for number, (file, noun) in enumerate(zip(files, ("woman", "man"), strict=True), start=1):
        Identity(file.stem, noun, torch.full((number, 1, 8), float(number)), "ab" * 32).save(file)
    return files


class TestMix:
    def test_files_become_one(self, couple: tuple[Path, Path], tmp_path: Path) -> None:
        ada, isaac = couple
        output = tmp_path / "child.safetensors"
        result = succeed("people", "mix", "child", f"{ada}=0.6", f"{isaac}=0.4", "--noun", "child", "-o", output)
        assert result.stdout == f"{output}: child (child), ada 60%, isaac 40%, 3 photo(s), 3 token(s)\n"
        mixed = Identity.load(output)
        by_hand = Identity.mix("child", {Identity.load(ada): 0.6, Identity.load(isaac): 0.4}, noun="child")
        assert (mixed.name, mixed.noun, mixed.fingerprint) == ("child", "child", by_hand.fingerprint)
        shown = dict(line.split(":", 1) for line in succeed("people", "show", output).stdout.splitlines())
        assert shown["photos"].strip() == "3, mixed; heard at 0.84, 0.28, 0.28"

    def test_a_file_without_a_share_has_share_one(self, couple: tuple[Path, Path], tmp_path: Path) -> None:
        ada, isaac = couple
        output = tmp_path / "child.safetensors"
        assert "ada 25%, isaac 75%" in succeed(
            "people", "mix", "child", ada, f"{isaac}=3", "--noun", "child", "-o", output
        ).stdout  # fmt: skip

    def test_wrong_input_is_one_line(self, couple: tuple[Path, Path], tmp_path: Path) -> None:
        ada, isaac = couple
        output = tmp_path / "child.safetensors"
        assert "since those of the people differ (woman, man)" in refused(
            "people", "mix", "child", ada, isaac, "-o", output
        )
        assert "share above 0 for ada, but got -1" in refused("people", "mix", "child", f"{ada}=-1", "-o", output)
        assert "share above 0 for ada, but got nan" in refused("people", "mix", "child", f"{ada}=nan", "-o", output)
        assert "is not there" in refused("people", "mix", "child", tmp_path / "eve.safetensors", "-o", output)
        assert "letters, digits" in refused("people", "mix", "the child", ada, "-o", output)
        assert "existing folder" in refused("people", "mix", "child", ada, "-o", tmp_path / "no" / "child.safetensors")
        usage = run("people", "mix", "child", f"{ada}=much", "-o", output)
        assert usage.exit_code == 2
        assert "expected FILE=SHARE with a number" in usage.stderr
        assert names(tmp_path) == ["ada.safetensors", "isaac.safetensors"]

    def test_a_mix_stands_in_a_scene_and_its_picture_is_made_again(self, tmp_path: Path) -> None:
        scene = write_scene(tmp_path)
        for name, noun in {"ada": "woman", "isaac": "man"}.items():
            photos = tmp_path / ("ada.png" if name == "ada" else "isaac")
            file = tmp_path / f"{name}.safetensors"
            succeed("people", "add", name, "--preset", "tiny", "--noun", noun, "--photos", photos, "-o", file)
        parts = [tmp_path / "ada.safetensors", f"{tmp_path / 'isaac.safetensors'}=2"]
        succeed("people", "mix", "child", *parts, "--noun", "girl", "-o", tmp_path / "child.safetensors")
        people = [{"identity": "child.safetensors"}, {"name": "isaac", "noun": "man", "photos": "isaac"}]
        write_scene(tmp_path, prompt="a {child} and a {isaac}", people=people)
        out = tmp_path / "out"
        out.mkdir()
        options = ("--device", "cpu", "-o")
        succeed("compose", scene, "--preset", "tiny", "--save-people", out, *options, out / "a.png")
        recorded = read_recipe(out / "a.png").people[0]
        assert (recorded.name, recorded.noun) == ("child", "girl")
        assert recorded.fingerprint == Identity.load(tmp_path / "child.safetensors").fingerprint
        succeed("compose", "--from", out / "a.png", "--people", out, *options, out / "b.png")
        with PIL.Image.open(out / "a.png") as first, PIL.Image.open(out / "b.png") as again:
            assert np.array_equal(np.asarray(first), np.asarray(again))
        # Another share is another person.
        succeed(
            "people",
            "mix",
            "child",
            *parts[:1],
            parts[1][:-2] + "=9",
            "--noun",
            "girl",
            "-o",
            out / "child.safetensors",
        )
        assert "Expected the identity files of child (girl" in refused(
            "compose", "--from", out / "a.png", "--people", out, *options, out / "c.png"
        )


class TestSplit:
    @pytest.fixture
    def group(self, tmp_path: Path) -> Path:
        """A picture of three drawn people."""
        sheet = PIL.Image.new("RGB", (480, 160))
        for place in range(3):
            portrait = draw_portrait(make_person(2_500_100 + place), seed=place, size=160).picture
            sheet.paste(portrait, (160 * place, 0))
        file = tmp_path / "group.png"
        sheet.save(file)
        return file

    def test_a_group_becomes_portraits(self, group: Path) -> None:
        folder = group.parent / "people"
        result = succeed("people", "split", group, "--faces", "mini", "-o", folder)
        expected = [f"group-{number}.png" for number in (1, 2, 3)] + ["group-contact.png"]
        assert names(folder) == expected
        assert result.stdout.splitlines() == [str(folder / name) for name in expected]
        assert result.stderr == ""

        again = refused("people", "split", group, "--faces", "mini", "-o", folder)
        assert "Expected no group-1.png in" in again
        assert again.endswith("(--force).")
        # With fewer people than before.
        with PIL.Image.open(group) as image:
            image.crop((0, 0, 320, 160)).save(group)
        forced = succeed("people", "split", group, "--faces", "mini", "--force", "-o", folder)
        assert len(forced.stdout.splitlines()) == 3
        assert "note: group-3.png stayed from an earlier split." in forced.stderr

    def test_smaller_faces_are_told(self, group: Path) -> None:
        line = refused("people", "split", group, "--faces", "mini", "--min-face", 150, "-o", group.parent / "people")
        assert "Expected faces at least 150 pixels wide" in line
        assert not (group.parent / "people").exists()

    def test_wrong_input_is_one_line(self, group: Path, tmp_path: Path) -> None:
        plain = tmp_path / "plain.png"
        PIL.Image.new("RGB", (200, 200), "white").save(plain)
        folder = tmp_path / "people"
        assert "there is no" in refused("people", "split", tmp_path / "absent.jpg", "-o", folder)
        assert "existing folder" in refused("people", "split", group, "-o", folder / "deeper")
        assert "existing folder" in refused("people", "split", group, "-o", plain)
        assert "is a folder; name a file" in refused("people", "split", tmp_path, "-o", folder)
        none = refused("people", "split", plain, "--faces", "mini", "-o", folder)
        assert f"Expected faces in {plain}, but found none; use a sharp photo" in none
        assert not folder.exists()
