from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from multiid.cli import main
from multiid.cli.templates import command
from multiid.errors import OutputError, TemplateError
from multiid.geometry import Size
from multiid.poses.template_variants import vary_template
from multiid.poses.templates import load_template, template_names


def run(*arguments: str) -> Result:
    """Errors of the tree pass through; the root command turns them into one line."""
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False, **main.context_settings)


def test_list_names_every_template_with_people_and_size():
    result = run("list")
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[0] for line in lines] == template_names()
    assert next(line for line in lines if line.startswith("team-eight")).split()[1:3] == ["8", "1344x768"]


def test_list_filters_by_people_and_tag():
    sixes = [line.split()[0] for line in run("list", "--people", "6").output.splitlines()]
    assert sixes.index("friends-six") < sixes.index("team-eight")
    assert "family-five" not in sixes
    families = [line.split()[0] for line in run("list", "--tag", "family").output.splitlines()]
    assert families == sorted(families)
    assert {"family-five", "family-four", "family-three"} < set(families)
    assert "friends-six" not in families
    fours = run("list", "--people", "4", "--tag", "family").output.splitlines()
    assert {line.split()[1] for line in fours[:4]} == {"4"}
    nothing = run("list", "--people", "40")
    assert nothing.exit_code == 0
    assert nothing.stdout == ""
    assert "No template fits" in nothing.stderr


def test_show_says_who_stands_where():
    output = run("show", "family-three").output
    assert "family-three: Two adults and a child" in output
    assert "1152x896" in output
    assert [line.split()[:2] for line in output.splitlines()[-3:]] == [["0", "adult"], ["1", "child"], ["2", "adult"]]
    with pytest.raises(TemplateError, match="did you mean 'family-three'"):
        run("show", "family-tree")


def test_preview_draws_the_named_ones_into_a_new_folder(tmp_path: Path):
    folder = tmp_path / "new" / "previews"
    result = run("preview", "couple-selfie", "team-eight", "-o", str(folder))
    assert result.exit_code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["couple-selfie.png", "team-eight.png"]
    with Image.open(folder / "team-eight.png") as image:
        assert image.size == (512, 293)
        assert image.convert("RGB").getcolors(10_000)


def test_preview_draws_all_by_default(tmp_path: Path):
    assert run("preview", "-o", str(tmp_path)).exit_code == 0
    assert sorted(path.stem for path in tmp_path.iterdir()) == template_names()


def test_preview_writes_nothing_where_a_name_is_wrong_or_the_folder_is_a_file(tmp_path: Path):
    with pytest.raises(TemplateError, match="no template 'nobody'"):
        run("preview", "couple-selfie", "nobody", "-o", str(tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "copy.json").write_text(load_template("couple-selfie").to_json(), encoding="utf-8")
    with pytest.raises(OutputError, match=r"of different names, for a NAME\.png each, but 2 are called"):
        run("preview", "couple-selfie", "couple-selfie", str(tmp_path / "copy.json"), "-o", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError, match="Expected a folder to write into"):
        run("preview", "couple-selfie", "-o", str(tmp_path / "file"))


def test_list_searches_words_and_several_tags():
    assert run("list", "--search", "FAMILY FOUR").output.startswith("family-four ")
    names = [line.split()[0] for line in run("list", "--tag", "family", "--tag", "standing").output.splitlines()]
    assert names
    assert all({"family", "standing"} <= set(load_template(name).tags) for name in names)
    nothing = run("list", "--search", "zebra", "--tag", "selfie")
    assert nothing.stdout == ""
    assert 'looked for "zebra", the tag selfie. Near it are ' in nothing.stderr


def test_show_says_whom_places_are_for():
    lines = run("show", "family-three").output.splitlines()
    assert lines[-2].endswith("; for a girl, a boy")
    crowd = run("show", "crowd-two").output
    assert "people 2 and " in crowd
    assert "; for a stranger, unless people need it" in crowd


def test_new_writes_a_row_and_its_preview(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    result = run("new", "our-picnic", "--people", "3")
    assert result.exit_code == 0
    assert result.output == "our-picnic.json: 3 place(s), 1152x896\nour-picnic.png\n"
    template = load_template("our-picnic.json")
    assert (template.name, template.people) == ("our-picnic", 3)
    assert all(place.body is not None for place in template.places)
    text = Path("our-picnic.json").read_text(encoding="utf-8")
    assert '"right_arm": {"out": 4.0, "bend": 16.0, "twist": 30.0}' in text  # a line for each limb, to be edited
    with Image.open("our-picnic.png") as image:
        assert max(image.size) == 512


def test_new_copies_a_template_under_its_name(tmp_path: Path):
    target = tmp_path / "ours.json"
    assert run("new", "ours", "--like", "couple-selfie", "-o", str(target)).exit_code == 0
    assert load_template(target).places == load_template("couple-selfie").places
    assert load_template(target).name == "ours"


def test_new_refuses_what_it_cannot_do_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    for options in ((), ("--people", "2", "--like", "couple-selfie")):
        assert run("new", "ours", *options).exit_code == 2
    with pytest.raises(TemplateError, match="name: expected small letters, digits and hyphens"):
        run("new", "Our Picnic", "--people", "2")
    with pytest.raises(TemplateError, match="people: expected 1 to 8, but got 12; for more copy one"):
        run("new", "ours", "--people", "12")
    with pytest.raises(OutputError, match=r"ending in \.json"):
        run("new", "ours", "--people", "2", "-o", "ours.yaml")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "ours.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"ours\.png exists; name another or add --force"):
        run("new", "ours", "--people", "2")
    assert (tmp_path / "ours.png").read_bytes() == b"mine"
    assert run("new", "ours", "--people", "2", "--force").exit_code == 0


def test_vary_does_what_it_is_asked_in_order(tmp_path: Path):
    target = tmp_path / "Our trip.json"
    options = ("--remove", "2", "--order", "1,0,2", "--mirror", "--size", "832x1216", "--framing", "medium")
    result = run("vary", "family-four", "-o", str(target), *options)
    assert result.exit_code == 0
    assert result.output.splitlines() == [f"{target}: 3 place(s), 832x1216", str(target.with_suffix(".png"))]
    expected = vary_template(
        load_template("family-four"), name="our-trip", remove=[2], order=[1, 0, 2], mirror=True,
        size=Size(832, 1216), framing="medium",
    )  # fmt: skip
    assert load_template(target) == expected
    assert target.with_suffix(".png").is_file()


def test_vary_looks_at_whom_it_is_told(tmp_path: Path):
    target = tmp_path / "near.json"
    result = run("vary", "crowd-two", "-o", str(target), "--framing", "full", "--look-at", "0,1")
    assert result.exit_code == 0
    assert load_template(target).people == 2
    near = run("vary", "team-eight", "-o", str(target), "--framing", "close-up", "--look-at", "0", "--force")
    assert near.exit_code == 0
    assert load_template(target).people < 8


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Expected something to change"),
        (("--look-at", "0"), "Expected something to change"),
        (("--mirror", "--look-at", "0"), "Expected --framing full, medium or close-up with --look-at"),
        (("--order", "1-0"), "expected places with commas between them, such as 1,0,2, but got 1-0"),
        (("--size", "1216"), "expected width and height in pixels, such as 1216x832, but got 1216"),
        (("--framing", "near"), "'near' is not one of"),
    ],
)
def test_vary_says_what_it_expects(options: tuple[str, ...], said: str, tmp_path: Path):
    result = run("vary", "family-four", "-o", str(tmp_path / "x.json"), *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_vary_never_replaces_what_it_is_made_of(tmp_path: Path):
    target = tmp_path / "mine.json"
    run("new", "mine", "--people", "2", "-o", str(target))
    before = target.read_bytes()
    with pytest.raises(OutputError, match="would replace the template itself"):
        run("vary", str(target), "-o", str(target), "--mirror", "--force")
    with pytest.raises(TemplateError, match="place: expected 0 to 1, but got 7"):
        run("vary", str(target), "-o", str(tmp_path / "other.json"), "--remove", "7")
    assert target.read_bytes() == before
    assert not (tmp_path / "other.json").exists()
