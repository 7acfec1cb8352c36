"""Keys of a scene file that stand under a story's style, for every panel."""

from typing import Annotated, Any

from pydantic import WithJsonSchema

from multiid.pipeline.scene_file import SceneSettings

__all__ = ["ELSEWHERE", "SceneKeys"]

ELSEWHERE = {
    "casting": "goes by roles in a panel",
    "height": "is a matter of the page's layout",
    "images": "is 1 in a panel",
    "loras": "stands beside scene, under style.loras",
    "negative_prompt": "stands beside scene, as style.negative",
    "prompt": "stands beside scene, as style.prompt",
    "seed": "stands with a panel",
    "template": "stands with a panel",
    "width": "is a matter of the page's layout",
}
"""Keys of a scene file that do not, and why."""


def _schema() -> dict[str, Any]:
    known = SceneSettings.model_json_schema()["properties"]
    here = {key: entry for key, entry in known.items() if key not in ELSEWHERE}
    return {"type": "object", "additionalProperties": False, "properties": here}


SceneKeys = Annotated[dict[str, Any], WithJsonSchema(_schema())]
"""As plain data, for `find_setting_misfits`; the schema says what fits."""
