import json
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from multiid.validation import describe_error, suggest


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    height: float
    kind: Literal["adult", "child"] = "adult"


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    title: str
    parts: tuple[Inner, ...] = Field(default=(), max_length=2)
    other: Inner | None = None

    @field_validator("title")
    @classmethod
    def _no_shouting(cls, title: str) -> str:
        if title.isupper():
            raise ValueError("expected small letters" + (f", but got {title}" if len(title) > 9 else ""))
        return title


def line(document: object) -> str:
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate_json(document if isinstance(document, str) else json.dumps(document))
    text = describe_error(caught.value, Outer.model_json_schema(), source="file.json")
    assert "\n" not in text
    return text


def test_unknown_keys_name_the_nearest_known_one_of_that_place():
    assert line({"titel": "a", "title": "b"}) == "file.json: titel: unknown key; did you mean 'title'?"
    nested = line({"title": "a", "parts": [{"height": 1, "hight": 2}]})
    assert nested == "file.json: parts.0.hight: unknown key; did you mean 'height'?"
    optional = line({"title": "a", "other": {"height": 1, "title": "b"}})
    assert optional == "file.json: other.title: unknown key; known are height, kind."


def test_missing_and_wrong_values_say_what_was_expected():
    assert line({}) == "file.json: title: expected a value, but it is missing."
    advice = "put a text that looks like a number, a date or a time in quotes."
    assert line({"title": 3}) == f"file.json: title: expected a text, but got 3: {advice}"
    assert line({"title": "a", "other": {"height": "2"}}) == (
        "file.json: other.height: expected a valid number, but got '2'."
    )
    assert line({"title": "a", "other": {"height": 1, "kind": "dog"}}) == (
        "file.json: other.kind: expected 'adult' or 'child', but got 'dog'."
    )
    assert line({"title": "SHOUT"}) == "file.json: title: expected small letters."
    assert line({"title": "a", "parts": [{"height": 1}] * 3}) == (
        "file.json: parts: expected at most 2 values, but got 3."
    )


def test_what_is_no_json_names_line_and_column():
    assert line('{\n "title": }').startswith("file.json: expected JSON, but got expected value at line 2")


def test_further_errors_are_counted_and_long_values_cut():
    text = line({"title": 1, "other": {"height": "x" * 500}})
    assert text.endswith("(and 1 more).")
    long = line({"title": "a", "other": {"height": "x" * 500}})
    assert len(long) < 150
    assert long.endswith("xxx[...].")


def test_what_a_file_says_at_length_or_in_lines_is_cut_to_one_line():
    keys = line({"title": "a", "a\nb " + "c" * 5000: 1})
    assert keys.startswith("file.json: a b ccc")
    assert len(keys) < 1000
    own_words = line({"title": "A\n" * 5000})
    assert len(own_words) < 1000


def test_a_key_that_is_no_text_is_told_from_a_value():
    with pytest.raises(ValidationError) as caught:
        Outer.model_validate({"title": "a", 3: 4})
    text = describe_error(caught.value, Outer.model_json_schema(), source="file.yaml")
    assert text.startswith("file.yaml: 3: expected a text as key, but got 3: put a text that looks like a number")


def test_suggestions():
    assert suggest("famly", ["family", "team"]) == "; did you mean 'family'?"
    assert suggest("zzz", ["family", "team"]) == "; known are family, team."
    assert suggest("zzz", []) == "."
    assert suggest("zzz", [f"a-long-name-{number:02}" for number in range(60)]).endswith("a-long-name-14 and 45 more.")
    assert suggest("zzz", ["x" * 300, "y"]) == f"; known are {'x' * 300} and 1 more."
