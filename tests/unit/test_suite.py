"""Suite files: what they may say, what is told where they are wrong, and what a suite makes."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from multiid.errors import SuiteError
from multiid.suites.suite import METRICS, folder_name, load_suite, suite_names, suite_schema
from multiid.suites.tasks import Task, plan_batches

GOOD: dict[str, Any] = {
    "title": "A suite",
    "about": "What it shows.",
    "groups": {"small": 2, "full": 4},
    "cases": [{"name": "two", "people": 2}, {"name": "three", "people": 3, "groups": {"full": 2}}],
    "settings": [{"name": "with"}, {"name": "without", "scene": {"mask_rule": "none"}, "cases": ["two"]}],
    "metrics": ["nearest", "count"],
}


def written(folder: Path, **changes: Any) -> str:
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump({**GOOD, **changes}), encoding="utf-8")
    return str(file)


def case(**changes: Any) -> dict[str, Any]:
    return {"cases": [{"name": "two", "people": 2, **changes}], "settings": [{"name": "with"}]}


def setting(**changes: Any) -> dict[str, Any]:
    return {"settings": [{"name": "with", **changes}]}


def flat(batches: list[list[Task]]) -> list[tuple[str, str, int]]:
    return [(task.case.name, task.setting.name, task.index) for batch in batches for task in batch]


WRONG = {
    "an unknown key": ({"peple": "miniature"}, "peple: unknown key; did you mean 'people'?"),
    "a key of a case": (case(kinds="random"), "cases.0.kinds: unknown key; did you mean 'kind'?"),
    "no people": (case(people=0), "cases.0.people: "),
    "a text for a number": (case(people="2"), "cases.0.people: "),
    "another's kind": (case(kind="every"), "cases.two.kind: expected one of random, overlapping, look-alikes"),
    "a prompt without people": (case(prompts=["a garden"]), "expected {people} once in each, but got 'a garden'"),
    "no such template": (case(template="famly"), "cases.0: template: "),
    "a template of others": (case(template="family-three"), "expected one of 2 places, but family-three has 3"),
    "an unknown scene key": (setting(scene={"mask_rul": "none"}), "scene.mask_rul: unknown key; did you mean"),
    "a key of the group's": (setting(scene={"seed": 3}), "scene.seed: unknown key"),
    "a wrong rule": (setting(scene={"mask_rule": "non"}), "settings.0: scene.mask_rule: "),
    "an unknown sampler": (setting(scene={"scheduler": "eular"}), "scene.scheduler: expected the name of a sampler"),
    "both merges": (setting(scene={"merge_step": 1, "style_strength": 5.0}), "scene.merge_step: expected either"),
    "truth that is made": (setting(truth=True, attempts=2), "truth: expected neither scene nor attempts"),
    "no such case": (setting(cases=["tow"]), "settings.with.cases: unknown case 'tow'; did you mean 'two'?"),
    "a name twice": ({"cases": 2 * GOOD["cases"]}, "cases: expected names that differ"),
    "names of one folder": ({"settings": [{"name": "5 %"}, {"name": "5"}]}, "'5 %' and '5'"),
    "a blank name": (setting(name="  "), "settings.0.name: expected letters or digits, but got blanks"),
    "a setting of no case": (setting(cases=[]), "settings.0.cases: expected at least 1 value"),
    "a metric twice": ({"metrics": ["count", "nearest", "count"]}, "metrics: expected each once, but count came twice"),
    "no full size": ({"groups": {"small": 3}}, "groups: expected a number for full"),
    "no metric": ({"metrics": []}, "metrics: expected at least 1 value"),
    "an unknown metric": ({"metrics": ["nearst"]}, "metrics.0: "),
    "photos without prompts": ({"people": "photos"}, "cases.two.prompts: expected some with people: photos"),
    "true photos": (
        {"people": "photos", **case(prompts=["a photo of {people}"]), **setting(truth=True)},
        "settings.with.truth: expected people: miniature",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_told_in_one_line(tmp_path: Path, wrong: str) -> None:
    changes, message = WRONG[wrong]
    with pytest.raises(SuiteError) as error:
        load_suite(written(tmp_path, **changes))
    text = str(error.value)
    assert text.startswith(str(tmp_path / "mine.yaml"))
    assert message in text
    assert "\n" not in text


def test_an_unknown_suite_is_told() -> None:
    with pytest.raises(SuiteError, match="Expected a suite's name or file, but got 'grops'; did you mean 'groups'"):
        load_suite("grops")
    with pytest.raises(SuiteError, match=r"none\.yaml: expected a YAML file"):
        load_suite("none.yaml")


@pytest.mark.parametrize("name", suite_names())
def test_every_suite_of_the_package_is_sound(name: str) -> None:
    suite = load_suite(name)
    for size in ("small", "full"):
        tasks = [task for batch in plan_batches(suite, size) for task in batch]
        assert len({task.file for task in tasks}) == len(tasks)
        made = sum(not task.setting.truth for task in tasks)
        print(f"{name}, {size}: {made} pictures to make")
    assert set(suite.metrics) <= set(METRICS)
    used = {task.case.name for task in tasks}, {task.setting.name for task in tasks}
    assert used == ({case.name for case in suite.cases}, {setting.name for setting in suite.settings})


def test_the_package_has_the_suites_that_it_should() -> None:
    assert {"groups", "ablation"} <= set(suite_names())


def test_groups_has_as_many_as_are_asked_for() -> None:
    suite = load_suite("groups")
    counts = {case.people: suite.groups_of(case, "full") for case in suite.cases}
    assert list(counts) == [1, 2, 3, 4, 6, 8]
    assert min(counts.values()) >= 100
    verified = next(setting for setting in suite.settings if setting.attempts == 3)
    assert verified.cases == ["4 people"]
    assert counts[4] >= 300


def test_cases_take_turns_and_settings_of_a_group_follow_one_another(tmp_path: Path) -> None:
    suite = load_suite(written(tmp_path))
    full = plan_batches(suite, "full")
    assert flat(full) == [
        ("two", "with", 0), ("two", "without", 0), ("three", "with", 0),
        ("two", "with", 1), ("two", "without", 1),
        ("two", "with", 2), ("two", "without", 2), ("three", "with", 1),
        ("two", "with", 3), ("two", "without", 3),
    ]  # fmt: skip
    assert [len(batch) for batch in full] == [2, 1, 2, 2, 1, 2]
    assert full == plan_batches(suite, "full")
    # A case with a full number alone has the suite's small one.
    assert {one for one in flat(plan_batches(suite, "small")) if one[0] == "three"} == {
        ("three", "with", 0), ("three", "with", 1),
    }  # fmt: skip
    assert str(full[0][1].file) == "two/without/00000.png"


def test_a_part_alone_is_made(tmp_path: Path) -> None:
    suite = load_suite(written(tmp_path))

    def only(*names: str) -> set[tuple[str, str]]:
        return {(case, setting) for case, setting, _ in flat(plan_batches(suite, "small", only=names))}

    assert only("two") == {("two", "with"), ("two", "without")}
    assert only("with") == {("two", "with"), ("three", "with")}
    assert only("with", "three") == {("three", "with")}
    with pytest.raises(SuiteError, match="Expected the name of a case or a setting, but got 'tow'; did you mean 'two'"):
        only("tow")
    with pytest.raises(SuiteError, match="no case has the setting 'three' or 'without'"):
        only("three", "without")


def test_folders_have_plain_names() -> None:
    assert folder_name("verified, 3 attempts") == "verified-3-attempts"
    assert folder_name("../x") == "x"
    assert folder_name("%") == "-"


def test_the_schema_describes_every_key() -> None:
    schema = suite_schema()
    assert {"title", "cases", "settings", "metrics", "groups"} <= set(schema["properties"])
    for part in (schema, schema["$defs"]["Case"], schema["$defs"]["Setting"]):
        assert part["description"].endswith(".")
        assert all(entry["description"] for entry in part["properties"].values())
    assert schema["properties"]["kept"]["description"].startswith(
        "photos of each person that the generator does not get"
    )
