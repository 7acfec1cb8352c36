"""Running stories on the miniature: what is made, what is not made again, and what is left when a run stops."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tales import panels_of, planned, script, write_script

from multiid import Composer, StoryRun, read_recipe
from multiid.errors import Cancelled, OutputError, StoryError
from multiid.pipeline.quiet import quiet_composer
from multiid.story.changes import keep_manifest, reasons_to_make, redo_panels
from multiid.story.finish import write_story
from multiid.story.making import make_panels, panel_numbers
from multiid.story.plan import StoryPlan
from multiid.story.store import KeptPanel, Store


@pytest.fixture(scope="module")
def composer() -> Composer:
    return quiet_composer("mini", device="cpu")


@pytest.fixture(scope="module")
def finished(composer: Composer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a story that was run to its end."""
    folder = tmp_path_factory.mktemp("finished")
    plan, store = planned(folder, script()), Store(folder / "made")
    kept = make_panels(plan, store, lambda: composer)
    keep_manifest(plan, store, kept)
    write_story(plan, store, kept)
    return folder


@pytest.fixture
def made(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, to be changed."""
    shutil.copytree(finished / "made", tmp_path / "made")
    return tmp_path / "made"


def never() -> Composer:
    raise AssertionError("models were loaded although everything is there")


def digests(folder: Path) -> dict[str, str]:
    return {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def run(plan: StoryPlan, store: Store, composer: Composer, **options: Any) -> tuple[dict[str, KeptPanel], list[str]]:
    """Makes a story, and tells which panels were made now."""
    under_way: list[str] = []

    def progress(number: str, done: float, total: int) -> None:
        del total
        if done == len(under_way):
            under_way.append(number)

    kept = make_panels(plan, store, lambda: composer, progress=progress, **options)
    return kept, under_way[: len(set(under_way))]


def test_a_story_becomes_pictures_pages_and_a_manifest(finished: Path) -> None:
    folder = finished / "made"
    plan = planned(finished, script())
    assert {file.stem for file in (folder / "pictures").glob("*.png")} == {p.key for p in plan.panels.values()}
    assert sorted(file.name for file in (folder / "panels").iterdir()) == ["1.1.png", "1.2.png", "1.3.png", "1.4.png"]
    assert (folder / "story.pdf").is_file()
    assert (folder / "story.cbz").is_file()
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["panels"]["1.2"]["follows"] == {"otto": "1.1"}
    assert set(manifest["panels"]["1.1"]["made"]["people"]) == {"ada", "otto"}
    assert manifest["panels"]["1.4"]["made"]["people"] == {}


def test_a_second_run_makes_nothing(finished: Path) -> None:
    plan, store = planned(finished, script()), Store(finished / "made")
    assert list(make_panels(plan, store, never)) == ["1.1", "1.2", "1.3", "1.4"]
    assert reasons_to_make(plan, store) == {}


def test_lettering_anew_makes_no_picture(made: Path) -> None:
    story = script()
    panels_of(story)[0]["dialogue"] = [{"otto": "Good night."}]
    plan, store = planned(made.parent, story), Store(made)
    before = (made / "pages" / "001.png").read_bytes()
    write_story(plan, store, make_panels(plan, store, never))
    assert (made / "pages" / "001.png").read_bytes() != before


def test_a_changed_panel_alone_is_made_again(made: Path, composer: Composer) -> None:
    story = script()
    panels_of(story)[1]["prompt"] = "a {otto} in the snow"
    plan, store = planned(made.parent, story), Store(made)
    assert reasons_to_make(plan, store) == {"1.2": "what it shows has changed"}
    _, made_now = run(plan, store, composer)
    assert made_now == ["1.2"]
    assert len(store.unused({panel.key for panel in plan.panels.values()})) == 2


def test_a_changed_anchor_says_which_panels_follow(made: Path) -> None:
    story = script()
    panels_of(story)[0]["prompt"] = "a {ada} and a {otto} in the city"
    plan, store = planned(made.parent, story), Store(made)
    assert reasons_to_make(plan, store) == {
        "1.1": "what it shows has changed",
        "1.2": "what it follows has changed: otto as in 1.1",
        "1.3": "what it follows has changed: ada as in 1.1",
    }
    assert plan.followers("1.1") == ("1.2", "1.3")


def test_a_run_that_stops_goes_on_to_the_same_bytes(finished: Path, composer: Composer, tmp_path: Path) -> None:
    plan, store = planned(tmp_path, script()), Store(tmp_path / "made")

    def stop(number: str, done: float, total: int) -> None:
        del total
        if number == "1.3" and done > 2.2:  # in the midst of the third picture
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        make_panels(plan, store, lambda: composer, progress=stop)
    assert len(list((tmp_path / "made" / "pictures").glob("*.png"))) == 2
    kept, made_now = run(plan, store, composer)
    assert made_now == ["1.3", "1.4"]
    keep_manifest(plan, store, kept)
    write_story(plan, store, kept)
    assert digests(tmp_path / "made") == digests(finished / "made")


@pytest.mark.parametrize("damage", ["truncated", "record"])
def test_a_damaged_picture_is_made_again(made: Path, composer: Composer, damage: str) -> None:
    plan, store = planned(made.parent, script()), Store(made)
    file = store.picture_file(plan.panels["1.4"].key)
    whole = file.read_bytes()
    if damage == "truncated":
        file.write_bytes(whole[: len(whole) // 2])
    else:
        file.with_suffix(".json").write_text('{"seed": 1}', encoding="utf-8")
    _, made_now = run(plan, store, composer)
    assert made_now == ["1.4"]
    assert file.read_bytes() == whole


def test_only_makes_a_panel_and_what_it_follows(composer: Composer, tmp_path: Path) -> None:
    plan, store = planned(tmp_path, script()), Store(tmp_path / "made")
    kept, made_now = run(plan, store, composer, only=("1.3",))
    assert made_now == ["1.1", "1.3"]
    assert list(kept) == ["1.1", "1.3"]
    files = write_story(plan, store, kept)
    assert sorted(file.name for file in files if file.parent.name == "panels") == ["1.1.png", "1.3.png"]


def test_redo_takes_another_seed_until_the_panel_shows_something_else(made: Path) -> None:
    store = Store(made)
    plan = planned(made.parent, script())
    redo_panels(plan, store, ["1.4"], 9)
    again = planned(made.parent, script(), store.seeds())
    assert again.panels["1.4"].seed == 9
    assert reasons_to_make(again, store) == {"1.4": "it has another seed, 9"}
    redo_panels(again, store, ["1.4"], None)
    assert planned(made.parent, script(), store.seeds()).panels["1.4"].seed == 10
    story = script()
    panels_of(story)[3]["prompt"] = "a forest"
    assert (
        planned(made.parent, story, store.seeds()).panels["1.4"].seed == planned(made.parent, story).panels["1.4"].seed
    )


def test_pages_and_panels_are_chosen_by_number(finished: Path) -> None:
    plan = planned(finished, script())
    assert panel_numbers(plan, ()) == ("1.1", "1.2", "1.3", "1.4")
    assert panel_numbers(plan, ("1.3", "1.1")) == ("1.1", "1.3")
    assert panel_numbers(plan, ("1",)) == ("1.1", "1.2", "1.3", "1.4")
    with pytest.raises(StoryError, match=r"1\.9"):
        panel_numbers(plan, ("1.9",))


def test_a_picture_that_is_damaged_later_is_seen_to_be(made: Path) -> None:
    key, store = planned(made.parent, script()).panels["1.4"].key, Store(made)
    assert store.recall(key) is not None
    file = store.picture_file(key)
    file.write_bytes(file.read_bytes()[:-100])
    assert store.recall(key) is None


def test_a_run_may_be_confined_to_panels(made: Path, composer: Composer) -> None:
    run = StoryRun(write_script(made.parent, script()), made)
    run.redo(["1.2", "1.4"])
    assert list(run.make(lambda: composer, only=["1.4"])) == ["1.1", "1.3", "1.4"]


def test_a_panel_that_cannot_be_made_is_named(composer: Composer, tmp_path: Path) -> None:
    story = script()
    story["style"]["scene"]["layout"] = "inline"
    panels_of(story)[2]["prompt"] = "at night, " * 60 + "a {ada}"
    with pytest.raises(StoryError, match="page 1, panel 3: "):
        StoryRun(write_script(tmp_path, story)).make(lambda: composer, only=["1.3"])


@pytest.mark.parametrize("name", ["manifest.json", "seeds.json"])
def test_damaged_files_of_the_folder_are_named(made: Path, name: str) -> None:
    (made / name).write_text("{", encoding="utf-8")
    read = {"manifest.json": Store(made).manifest, "seeds.json": Store(made).seeds}[name]
    with pytest.raises(OutputError, match=name):
        read()


def test_faces_are_known_for_balloons(finished: Path) -> None:
    plan, store = planned(finished, script()), Store(finished / "made")
    kept = store.recall(plan.panels["1.1"].key)
    assert kept is not None
    assert set(kept.seen.faces) == {"ada", "otto"}
    left, right = kept.seen.faces["ada"], kept.seen.faces["otto"]
    assert left.mouth[0] < right.mouth[0]
    for face in (left, right):
        assert face.box.left < face.mouth[0] < face.box.right
        assert face.box.top < face.mouth[1] < face.box.bottom
    with Image.open(store.picture_file(kept.key)) as picture:
        assert picture.size == tuple(kept.seen.size)


def test_anchors_are_heard(made: Path, composer: Composer, tmp_path: Path) -> None:
    """With consistency off the panel that follows comes out otherwise, from the same seed."""
    story = script()
    story["style"]["consistency"] = 0.0
    plan, store = planned(tmp_path, story), Store(made)
    with_anchor = planned(tmp_path, script()).panels["1.2"]
    assert plan.panels["1.2"].seed == with_anchor.seed
    run(plan, store, composer, only=("1.2",))
    files = [store.picture_file(key) for key in (plan.panels["1.2"].key, with_anchor.key)]
    pixels = [Image.open(file).convert("RGB").tobytes() for file in files]
    assert pixels[0] != pixels[1]


def test_a_run_knows_what_is_there(made: Path, composer: Composer) -> None:
    run = StoryRun(write_script(made.parent, script()), made)
    assert list(run.kept()) == ["1.1", "1.2", "1.3", "1.4"]
    run.redo([])
    assert run.reasons() == {}
    assert list(run.make(never)) == list(run.kept())
    run.redo(["1.4"], seed=9)
    assert run.reasons() == {"1.4": "it has another seed, 9"}
    assert list(run.kept()) == ["1.1", "1.2", "1.3"]
    assert run.make(lambda: composer)["1.4"].seed == 9
    assert run.picture_file("1.4").is_file()
    assert len(run.unused()) == 2
    assert json.loads((made / "manifest.json").read_text(encoding="utf-8"))["panels"]["1.4"]["seed"] == 9
    assert made / "story.pdf" in run.write()


def test_pictures_are_never_kept_as_those_of_another_preset(composer: Composer, tmp_path: Path) -> None:
    story = script()
    story["style"] = {"preset": "tiny"}
    run = StoryRun(write_script(tmp_path, story))
    with pytest.raises(StoryError, match="Expected a composer of tiny, the story's preset, but got one of mini"):
        run.make(lambda: composer)
    assert not (run.folder / "pictures").exists()


def test_words_without_room_are_told_before_any_picture_is_made(tmp_path: Path) -> None:
    story = script(paper={"size": [120, 120], "dpi": 72})
    panels_of(story)[3]["captions"] = ["far too long " * 150]
    with pytest.raises(StoryError, match="page 1, panel 4"):
        StoryRun(write_script(tmp_path, story)).make(never)


def test_the_folder_is_beside_the_script_and_never_a_file(tmp_path: Path) -> None:
    file = write_script(tmp_path, script())
    assert StoryRun(file).folder == tmp_path / "story"
    (tmp_path / "taken").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="taken is a file"):
        StoryRun(file, tmp_path / "taken")
    bare = file.rename(tmp_path / "bare")
    with pytest.raises(OutputError, match="bare is a file"):
        StoryRun(bare)


def test_small_faces_are_refined_where_the_style_says_so(composer: Composer, tmp_path: Path) -> None:
    story = script()
    panels_of(story)[1] |= {"template": "portrait-full-length", "framing": "full"}
    runs = [StoryRun(write_script(tmp_path, story), tmp_path / "plain")]
    story["style"]["refine"] = True
    runs.append(StoryRun(write_script(tmp_path, story), tmp_path / "refined"))
    for run, expected in zip(runs, (False, True), strict=True):
        run.make(lambda: composer, only=["1.2", "1.4"])
        person, view = (read_recipe(run.picture_file(number)).refinements for number in ("1.2", "1.4"))
        # What is mended because somebody is missing names them.
        assert any(refinement.people is None for refinement in person) == expected
        assert not view
    assert runs[0].plan.panels["1.2"].key != runs[1].plan.panels["1.2"].key


@pytest.fixture(autouse=True)
def quiet(capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    capsys.readouterr()
