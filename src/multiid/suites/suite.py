"""A suite file: whose pictures are made, of which scenes, with which settings, and what is measured."""

import re
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Gt, Le, Len
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    ValidationError,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from multiid.errors import SuiteError, TemplateError
from multiid.pipeline.scene_file import find_setting_misfits
from multiid.pipeline.yaml_file import read_yaml
from multiid.poses.templates import load_template
from multiid.validation import describe_error, suggest

__all__ = ["METRICS", "Case", "Setting", "Size", "Suite", "folder_name", "load_suite", "suite_names", "suite_schema"]

_CONFIG = ConfigDict(extra="forbid", frozen=True, strict=True)

Metric = Literal[
    "nearest",
    "found",
    "complete",
    "count",
    "single_sim",
    "multi_sim",
    "unlikeness",
    "minimum",
    "hungarian",
    "off_match",
    "confidence",
    "clip_t",
    "clip_i",
    "dino",
]
METRICS: tuple[Metric, ...] = get_args(Metric)
"""Every metric that a suite can ask for; `legend` has what they are called in full."""

_NOT_OF_A_SETTING = {"prompt", "template", "images", "seed", "loras"}  # the group's, or of other models

Kind = Literal["random", "overlapping", "look-alikes", "every"]
Size = Literal["small", "full"]


def _not_blank(name: str) -> str:
    if not name.strip():
        raise ValueError("expected letters or digits, but got blanks alone")
    return name


Name = Annotated[str, Len(1, 60), AfterValidator(_not_blank)]
Groups = Annotated[int, Gt(0), Le(100_000)]


class _Entry(BaseModel):
    """A part of a suite file, whose docstring describes its keys in the schema too."""

    model_config = _CONFIG

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        described = handler.resolve_ref_schema(handler(schema))
        about = re.findall(r"^ {8}(\w+): (.+(?:\n {12}.+)*)", cls.__doc__ or "", flags=re.MULTILINE)
        for name, text in about:
            described["properties"][name]["description"] = " ".join(text.split()).removesuffix(".")
        described["description"] = (cls.__doc__ or "").partition("\n")[0]
        return described


class Case(_Entry):
    """One sort of group: how many people there are, who, and in which scenes.

    Attributes:
        name: heads its rows in the report.
        people: in each picture.
        kind: of the miniature's people: random ones, with heads that overlap, or such as differ in one or two
            attributes only. Of people from photos: random ones, or every group of so many ("every") in turn.
        prompts: with {people} for all of them ("a photo of {people} in a garden"), taken in turn; the miniature's own
            words for places and clothes where there are none.
        template: the name of a pose template with so many places; a random pose for so many people if None.
        groups: pictures of this case in each setting, at each size where it is not the suite's number.
    """

    name: Name
    people: Annotated[int, Ge(1), Le(8)]
    kind: Kind = "random"
    prompts: list[str] = Field(default=[])
    template: str | None = None
    groups: dict[Size, Groups] = Field(default={})

    @model_validator(mode="after")
    def _prompts_name_people(self) -> "Case":
        lacking = [prompt for prompt in self.prompts if prompt.count("{people}") != 1]
        if lacking:
            raise ValueError(f"prompts: expected {{people}} once in each, but got {lacking[0]!r}")
        return self

    @model_validator(mode="after")
    def _template_fits(self) -> "Case":
        try:
            places = self.people if self.template is None else len(load_template(self.template).places)
        except TemplateError as error:
            raise ValueError(f"template: {error}") from error
        if places != self.people:
            raise ValueError(f"template: expected one of {self.people} places, but {self.template} has {places}")
        return self


class Setting(_Entry):
    """One way to make the pictures of a case, to be compared with the others.

    Attributes:
        name: heads its rows in the report.
        scene: keys of a scene file in place of their defaults: {mask_rule: none}, {layout: inline}, {steps: 20}.
        photos: of each person that the generator gets.
        strength: of every person's identity.
        attempts: verify each picture and make at most so many; do not verify if None.
        truth: take true renders of the miniature's world in place of pictures that were made: what a generator that
            does all right would score.
        cases: names of the cases it is made for; all if None.
    """

    name: Name
    scene: dict[str, Any] = Field(default={})
    photos: Annotated[int, Ge(1), Le(16)] = 2
    strength: Annotated[float, Ge(0), Le(10)] = 1.0
    attempts: Annotated[int, Ge(1), Le(100)] | None = None
    truth: bool = False
    cases: Annotated[list[str], Len(1)] | None = None

    @model_validator(mode="after")
    def _known_keys(self) -> "Setting":
        misfits = find_setting_misfits(self.scene, taken=_NOT_OF_A_SETTING)
        if misfits:
            raise ValueError(f"scene.{'.'.join(map(str, misfits[0].location))}: {misfits[0].text}")
        if self.truth and (self.scene or self.attempts):
            raise ValueError("truth: expected neither scene nor attempts, since nothing is made, but got some")
        return self


class Suite(_Entry):
    """What is made, compared and measured.

    Attributes:
        title: heads the report.
        about: what the suite shows, and whose protocol it is.
        preset: makes the pictures.
        people: "miniature" for people of the miniature's world on whom nothing was trained, "photos" for a folder of
            reference photos that the user gives, or the miniature's portraits without one.
        kept: photos of each person that the generator does not get, to be compared with; 0 compares with the very
            ones that it gets, as some public protocols do.
        groups: pictures of each case and setting, at each size.
        cases: sorts of groups.
        settings: ways to make them.
        metrics: what is measured, in the order of the report.
    """

    title: Name
    about: str
    preset: str = "mini"
    people: Literal["miniature", "photos"] = "miniature"
    kept: Annotated[int, Ge(0), Le(16)] = 4
    groups: dict[Size, Groups]
    cases: Annotated[list[Case], Len(1)]
    settings: Annotated[list[Setting], Len(1)]
    metrics: Annotated[list[Metric], Len(1)]

    @model_validator(mode="after")
    def _names_fit(self) -> "Suite":
        for what, names in (
            ("cases", [case.name for case in self.cases]),
            ("settings", [setting.name for setting in self.settings]),
        ):
            folders = [folder_name(name) for name in names]
            twice = [name for name, folder in zip(names, folders, strict=True) if folders.count(folder) > 1]
            if twice:
                raise ValueError(
                    f"{what}: expected names that differ in letters or digits, but got {' and '.join(map(repr, twice))}"
                )
        again = sorted({metric for metric in self.metrics if self.metrics.count(metric) > 1})
        if again:
            raise ValueError(f"metrics: expected each once, but {' and '.join(again)} came twice")
        known = [case.name for case in self.cases]
        for setting in self.settings:
            for name in setting.cases or []:
                if name not in known:
                    raise ValueError(f"settings.{setting.name}.cases: unknown case {name!r}{suggest(name, known)}")
        if "full" not in self.groups:
            raise ValueError("groups: expected a number for full, but it is missing")
        return self

    @model_validator(mode="after")
    def _kinds_fit(self) -> "Suite":
        known = ("random", "every") if self.people == "photos" else ("random", "overlapping", "look-alikes")
        for case in self.cases:
            if case.kind not in known:
                raise ValueError(
                    f"cases.{case.name}.kind: expected one of {', '.join(known)} with people: {self.people}, but got "
                    f"{case.kind}"
                )
            if self.people == "photos" and not case.prompts:
                raise ValueError(f"cases.{case.name}.prompts: expected some with people: photos, but got none")
        for setting in self.settings:
            if self.people == "photos" and setting.truth:
                raise ValueError(
                    f"settings.{setting.name}.truth: expected people: miniature with it, since nobody knows true "
                    "pictures of others"
                )
        return self

    def groups_of(self, case: Case, size: Size) -> int:
        """Pictures of a case in each setting, at a size; as many as at full size where the suite has no small one."""
        return {**self.groups, **case.groups}.get(size, case.groups.get("full", self.groups["full"]))


def folder_name(name: str) -> str:
    """What the pictures' folder of a case or setting of that name is called."""
    return "-".join(re.findall(r"\w+", name.lower())) or "-"


def suite_names() -> list[str]:
    """The suites of the package."""
    folder = resources.files("multiid.suites") / "definitions"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def load_suite(source: str) -> Suite:
    """A suite of the package by name, or of the user's own by file.

    Raises:
        SuiteError: when there is no such suite, or the file is invalid; the message names the key.
    """
    path = Path(source)
    if path.suffix not in (".yaml", ".yml"):
        if source not in suite_names():
            raise SuiteError(f"Expected a suite's name or file, but got {source!r}{suggest(source, suite_names())}")
        path = Path(str(resources.files("multiid.suites") / "definitions" / f"{source}.yaml"))
    data = read_yaml(path, SuiteError)
    try:
        return Suite.model_validate(data)
    except ValidationError as error:
        raise SuiteError(describe_error(error, Suite.model_json_schema(), source=path)) from error


def suite_schema() -> dict[str, Any]:
    """The JSON schema of suite files."""
    return Suite.model_json_schema()
