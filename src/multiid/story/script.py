"""story.yaml: a story's cast, style and pages as a file says them, and the published schema."""

from typing import Annotated, Any, Literal, get_args

from annotated_types import Ge, Le, Len
from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from multiid.pipeline.scene import MOST_SEED, PlaceIndex, Strength
from multiid.pipeline.scene_file import LoraEntry
from multiid.poses.variants import Framing
from multiid.story.scene_keys import SceneKeys
from multiid.story.schemas import bare, given
from multiid.story.values import (
    Colour,
    FilePath,
    Fraction,
    Language,
    Millimetres,
    Name,
    PanelNumber,
    Side,
    SoundWord,
    Text,
    Weight,
)

__all__ = [
    "Appearance",
    "Caption",
    "Character",
    "Inset",
    "Layout",
    "Lettering",
    "Line",
    "Manner",
    "Page",
    "Panel",
    "Paper",
    "PaperSize",
    "Row",
    "Sound",
    "Story",
    "Style",
    "story_schema",
]

PaperSize = Literal["a4", "us-comic", "square", "webtoon"]
"""A4 is 210 by 297 mm, US comic 168 by 260 mm, square 210 by 210 mm; a webtoon is one strip 800 pixels wide."""

Manner = Literal["speech", "thought", "shout", "whisper", "narration"]
"""How a line is said, and so what its balloon looks like; narration stands in a box and is nobody's."""


class _Entry(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class _Shortened(_Entry):
    """An entry that may be written in short; the schema says how."""

    @classmethod
    def short_forms(cls, keys: JsonSchemaValue) -> list[JsonSchemaValue]:
        """What may stand for the entry: the value of its first key alone.

        Args:
            keys: the schemas of the entry's keys.
        """
        return [bare(keys[next(iter(cls.model_fields))])]

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        whole = handler.resolve_ref_schema(handler(schema))
        short = cls.short_forms(whole["properties"])
        return {"description": whole.pop("description", ""), "anyOf": [*short, whole]}


class Character(_Entry):
    """Somebody of the cast: photos and a noun, or an identity file."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": given("identity"),
            "then": {"allOf": [{"not": given("noun")}, {"not": given("photos")}]},
            "else": given("noun", "photos"),
        }
    )

    noun: str | None = None
    """The class noun, such as "woman" or "old man"."""
    photos: FilePath | Annotated[list[FilePath], Len(1)] | None = None
    """Photo files or folders, relative to the story file."""
    identity: FilePath | None = None
    """An identity file, instead of noun and photos."""
    look: str = ""
    """The standing look, which holds in every panel and follows the noun: "in a green parka"."""
    strength: Strength = 1.0
    """How strongly the identity is heard: 1 is untouched, 0 leaves the plain noun."""
    anchor: PanelNumber | None = None
    """The panel that other panels take this character's look from; the first in which they appear if left out."""

    @model_validator(mode="after")
    def _one_source(self) -> "Character":
        given = [key for key in ("noun", "photos") if getattr(self, key) is not None]
        if self.identity is not None and given:
            raise ValueError(f"expected either identity, or noun and photos, but got identity and {given[0]}")
        if self.identity is None and len(given) < 2:
            missing = " and ".join(key for key in ("noun", "photos") if key not in given)
            raise ValueError(f"expected identity, or noun and photos, but without {missing}")
        return self


class Style(_Entry):
    """What all pictures have in common."""

    preset: str | None = None
    """The models, as `multiid presets` lists them; those that `multiid compose` takes if left out."""
    prompt: str = ""
    """Follows every panel's prompt: "watercolour, soft light"."""
    negative: str | None = None
    """What should not be in any picture."""
    loras: list[LoraEntry] = []  # pyright: ignore[reportInvalidTypeForm]
    """Style LoRAs."""
    scene: SceneKeys = {}
    """Further keys of a scene file that hold for every panel: {steps: 30, guidance: 5.0}."""
    consistency: Strength = 1.0
    """How strongly a character's body follows that of their anchor panel: at 1 it is heard as their own picture is,
    beyond it is followed further; 0 turns it off, and costs nothing."""
    refine: bool = False
    """Whether small faces are painted anew in every panel, each enlarged and by itself."""
    attempts: Annotated[int, Ge(1), Le(20)] = 3
    """How often a panel is made, at most, when somebody in it is missing or mixed."""


class Lettering(_Entry):
    """How words are written."""

    font: str | None = None
    """A font file relative to the story file, or the name of an installed family; DejaVu Sans if left out."""
    size: Annotated[float, Ge(3), Le(72)] = 8.0
    """In points; a text that does not fit shrinks."""
    smallest: Annotated[float, Ge(3), Le(72)] = 6.0
    """In points; a text that would have to shrink further is an error that names the panel."""
    capitals: bool = False
    """Whether dialogue is set in capitals, as many comics do."""

    @model_validator(mode="after")
    def _ordered(self) -> "Lettering":
        if self.smallest > self.size:
            raise ValueError(f"smallest: expected at most size, {self.size:g}, but got {self.smallest:g}")
        return self


class Paper(_Entry):
    """The pages' size and the room between panels; lengths in millimetres."""

    size: PaperSize | Annotated[list[Side], Len(2, 2)] = "a4"
    """A name, or width and height."""
    dpi: Annotated[int, Ge(50), Le(600)] = 150
    """Pixels per inch of the pages as pictures."""
    reading: Literal["left-to-right", "right-to-left"] = "left-to-right"
    """Which way panels of a row, and balloons of a panel, follow one another; manga are read from right to left."""
    margin: Millimetres = 10.0
    """White around a page's panels."""
    gutter: Millimetres = 4.0
    """Between panels."""
    border: Annotated[float, Ge(0), Le(10)] = 0.6
    """How thick the line around a panel is."""
    bleed: Annotated[float, Ge(0), Le(20)] = 0.0
    """How far the pages reach beyond the cut, for printing; panels that touch the edge reach into it."""
    background: Colour = "white"
    """The paper's colour, as CSS names it or as #rrggbb."""
    lettering: Lettering = Lettering()
    """How words are written."""


class Row(_Entry):
    """A row of panels."""

    height: Weight = 1.0
    """Beside other rows' heights."""
    panels: Annotated[list[Weight], Len(1, 12)]
    """The panels' widths beside each other, in reading order."""


class Inset(_Entry):
    """A panel that lies on others."""

    box: Annotated[list[Fraction], Len(4, 4)]
    """Left, top, right and bottom as shares of the room inside the margins."""

    @model_validator(mode="after")
    def _some_area(self) -> "Inset":
        left, top, right, bottom = self.box
        if left >= right or top >= bottom:
            raise ValueError(f"box: expected left, top, right and bottom of some area, but got {self.box}")
        return self


class Layout(_Entry):
    """Where a page's panels are."""

    rows: Annotated[list[Row], Len(1, 20)]
    """From top to bottom; they hold the first panels, in reading order."""
    insets: list[Inset] = []
    """For the page's last panels, in order."""
    full_bleed: bool = False
    """Whether the panels reach to the paper's edge, without a margin."""


class Appearance(_Shortened):
    """Somebody in a panel."""

    who: Name
    """A name of the cast."""
    look: str | None = None
    """Here in place of the standing look."""
    phrase: str = ""
    """What else holds for this person alone here: "holding an umbrella"."""
    place: PlaceIndex | None = None
    """Index of the template's place, from the left; otherwise places are cast by roles."""
    strength: Strength | None = None
    """Here in place of the character's."""

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, data: Any) -> Any:
        return {"who": data} if isinstance(data, str) else data


class Line(_Shortened):
    """Words that somebody says or thinks: {mia: "Hello!"}, or with all its keys."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {"required": ["how"], "properties": {"how": {"const": "narration"}}},
            "then": {"not": given("who")},
            "else": given("who"),
        }
    )

    text: Text
    """The words; a line break stays one."""
    who: Name | None = None
    """A name of the cast, in the panel or outside of it; nobody with narration."""
    how: Manner = "speech"
    """How it is said."""

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, data: Any) -> Any:
        """{mia: "Hello!", how: shout} as {who: mia, text: "Hello!", how: shout}."""
        if isinstance(data, str):
            return {"text": data, "how": "narration"}
        if isinstance(data, dict) and not {"who", "text"} & set(data):
            names = [key for key in data if key != "how"]
            if len(names) != 1:
                got = f"the keys {', '.join(map(str, data))}" if data else "nothing"
                raise ValueError(f'expected one name with its words, such as {{mia: "Hello!"}}, and how, but got {got}')
            return {**{key: data[key] for key in data if key == "how"}, "who": names[0], "text": data[names[0]]}
        return data

    @classmethod
    def short_forms(cls, keys: JsonSchemaValue) -> list[JsonSchemaValue]:
        """A text alone is narration; a name of the cast may be the key of what they say."""
        manners = {"enum": [how for how in get_args(Manner) if how != "narration"]}
        by_name = {
            "type": "object",
            "properties": {"how": manners, "who": False, "text": False},
            "propertyNames": keys["who"]["anyOf"][0],
            "additionalProperties": bare(keys["text"]),
            "if": {"required": ["how"]},
            "then": {"minProperties": 2, "maxProperties": 2},
            "else": {"minProperties": 1, "maxProperties": 1},
        }
        return [*super().short_forms(keys), by_name]

    @model_validator(mode="after")
    def _somebody_speaks(self) -> "Line":
        if (self.who is None) != (self.how == "narration"):
            raise ValueError(
                "who: expected nobody with narration, but got " + self.who
                if self.who is not None
                else f"who: expected a name of the cast with how: {self.how}, but got none"
            )
        return self


class Caption(_Shortened):
    """A box of words at an edge of a panel."""

    text: Text
    """The words."""
    where: Literal["top", "bottom"] = "top"
    """At which edge."""

    @model_validator(mode="before")
    @classmethod
    def _text_alone(cls, data: Any) -> Any:
        return {"text": data} if isinstance(data, str) else data


class Sound(_Shortened):
    """A sound word, drawn large into the picture."""

    text: SoundWord
    """The word, or a few."""
    at: Annotated[list[Fraction], Len(2, 2)] | None = None
    """Where its middle is, as shares of the panel; where there is most room if left out."""
    angle: Annotated[float, Ge(-90), Le(90)] = 0.0
    """Degrees by which it rises to the right."""
    colour: Colour = "#ffd400"
    """As CSS names it or as #rrggbb."""

    @model_validator(mode="before")
    @classmethod
    def _text_alone(cls, data: Any) -> Any:
        return {"text": data} if isinstance(data, str) else data


class Panel(_Entry):
    """One picture of a page, and its words. Without people it is a view."""

    model_config = ConfigDict(json_schema_extra={"not": given("template", "pose")})

    prompt: Text
    """The scene in words, "{name}" standing for a person's class noun."""
    people: list[Appearance] = []
    """Who is in it, in reading order: names, or entries with more to say."""
    template: FilePath | None = None
    """A pose template's name, or a template file relative to the story file; a plain row of people if left out."""
    pose: FilePath | None = None
    """A photo relative to the story file to take the poses from, in place of a template."""
    framing: Framing = "wide"
    """How much of the people is seen."""
    seed: Annotated[int, Ge(0), Le(MOST_SEED)] | None = None
    """The seed; follows from what the panel shows if left out, so that it is the same in every run."""
    captions: list[Caption] = []
    """Boxes of words, in reading order."""
    dialogue: list[Line] = []
    """In the order in which it is read."""
    sounds: list[Sound] = []
    """Sound words."""

    @model_validator(mode="after")
    def _one_pose(self) -> "Panel":
        if self.template is not None and self.pose is not None:
            raise ValueError("pose: expected either a template or a photo to take the pose from, but got both")
        return self


class Page(_Entry):
    """A page of panels."""

    layout: str | Layout | None = None
    """Rows with weights, or in short: "2/1/3" for so many panels in each row, "grid 2x3" for columns and rows,
    "splash" for one panel to the edge; as even rows as there can be if left out."""
    panels: Annotated[list[Panel], Len(1, 60)]
    """In reading order."""


class Story(_Entry):
    """A story as its file says it."""

    title: Text
    """What it is called."""
    author: str = ""
    """Who wrote it."""
    summary: str = ""
    """What it is about, for readers' catalogues."""
    language: Language = "en"
    """The words' language, as BCP 47 names it; which way they run follows from the letters themselves."""
    cast: Annotated[dict[Name, Character], Field(json_schema_extra={"additionalProperties": False})] = {}
    """Who is in it, by the names that prompts and dialogue use."""
    style: Style = Style()
    """What all pictures have in common."""
    paper: Paper = Paper()
    """The pages' size and the room between panels."""
    pages: Annotated[list[Page], Len(1, 400)]
    """From the first to the last."""

    @property
    def panels(self) -> dict[str, Panel]:
        """Every panel by its number, such as "3.2", in reading order."""
        return {
            f"{page}.{number}": panel
            for page, entry in enumerate(self.pages, 1)
            for number, panel in enumerate(entry.panels, 1)
        }


def story_schema() -> dict[str, Any]:
    """The JSON schema of story.yaml."""
    return Story.model_json_schema()
