"""multiid: several people, each known by one to a few photos, in one SDXL picture, none mixed with another.

Everything public is here; nothing heavy is imported before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from multiid import errors
from multiid.errors import *  # noqa: F403 - the whole tree is public
from multiid.geometry import Box, Point, Size

if TYPE_CHECKING:
    from multiid.conditioning import Layout
    from multiid.people.adapter import Adapter
    from multiid.people.encoders import EncoderConfig, EncoderV2Config, IDEncoder, IDEncoderV2
    from multiid.people.enrolment import encode_identity
    from multiid.people.faces import Face, FaceAnalyzer, face_analyzer
    from multiid.people.identity import Identity
    from multiid.people.photo import load_photo, load_photos
    from multiid.pipeline.composer import Composer
    from multiid.pipeline.loading import load_adapter, load_faces
    from multiid.pipeline.merging import Progress
    from multiid.pipeline.presets import PRESETS, Defaults, Preset, find_preset
    from multiid.pipeline.recipe import Recipe, find_identities, read_recipe
    from multiid.pipeline.result import Picture
    from multiid.pipeline.scene import Lora, Person, Scene
    from multiid.pipeline.scene_file import load_scene_file, scene_schema
    from multiid.pipeline.staging import Stage
    from multiid.poses.body import Body
    from multiid.poses.draw import draw_control_image
    from multiid.poses.skeleton import Place, Pose, Skeleton
    from multiid.poses.templates import load_template, template_names, template_schema, templates_for

__version__ = "0.1.0"

_HOMES = {
    "multiid.conditioning": ("Layout",),
    "multiid.people.adapter": ("Adapter",),
    "multiid.people.encoders": ("EncoderConfig", "EncoderV2Config", "IDEncoder", "IDEncoderV2"),
    "multiid.people.enrolment": ("encode_identity",),
    "multiid.people.faces": ("Face", "FaceAnalyzer", "face_analyzer"),
    "multiid.people.identity": ("Identity",),
    "multiid.people.photo": ("load_photo", "load_photos"),
    "multiid.pipeline.composer": ("Composer",),
    "multiid.pipeline.loading": ("load_adapter", "load_faces"),
    "multiid.pipeline.merging": ("Progress",),
    "multiid.pipeline.presets": ("PRESETS", "Defaults", "Preset", "find_preset"),
    "multiid.pipeline.recipe": ("Recipe", "find_identities", "read_recipe"),
    "multiid.pipeline.result": ("Picture",),
    "multiid.pipeline.scene": ("Lora", "Person", "Scene"),
    "multiid.pipeline.scene_file": ("load_scene_file", "scene_schema"),
    "multiid.pipeline.staging": ("Stage",),
    "multiid.poses.body": ("Body",),
    "multiid.poses.draw": ("draw_control_image",),
    "multiid.poses.skeleton": ("Place", "Pose", "Skeleton"),
    "multiid.poses.templates": ("load_template", "template_names", "template_schema", "templates_for"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "PRESETS",
    "Adapter",
    "Body",
    "Box",
    "Composer",
    "Defaults",
    "EncoderConfig",
    "EncoderV2Config",
    "Face",
    "FaceAnalyzer",
    "IDEncoder",
    "IDEncoderV2",
    "Identity",
    "Layout",
    "Lora",
    "Person",
    "Picture",
    "Place",
    "Point",
    "Pose",
    "Preset",
    "Progress",
    "Recipe",
    "Scene",
    "Size",
    "Skeleton",
    "Stage",
    "__version__",
    "draw_control_image",
    "encode_identity",
    "face_analyzer",
    "find_identities",
    "find_preset",
    "load_adapter",
    "load_faces",
    "load_photo",
    "load_photos",
    "load_scene_file",
    "load_template",
    "read_recipe",
    "scene_schema",
    "template_names",
    "template_schema",
    "templates_for",
]
__all__ += errors.__all__


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'multiid' has no attribute '{name}'")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
