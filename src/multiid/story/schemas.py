"""Parts of JSON schemas, for what holds between the keys of a record."""

from pydantic.json_schema import JsonSchemaValue

__all__ = ["bare", "given"]


def bare(schema: JsonSchemaValue) -> JsonSchemaValue:
    """What a schema takes, without what it says about it."""
    return {key: value for key, value in schema.items() if key not in ("title", "description")}


def given(*keys: str) -> JsonSchemaValue:
    """The schema of a record that has these keys; null is as good as none."""
    return {"required": list(keys), "properties": {key: {"not": {"type": "null"}} for key in keys}}
