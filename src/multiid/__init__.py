"""multiid: several people, each known by one to a few photos, in one SDXL picture, none mixed with another.

Everything public is here; nothing heavy is imported before it is used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from multiid import errors
from multiid.errors import *  # noqa: F403 - the whole tree is public
from multiid.geometry import Box, Point, Size

if TYPE_CHECKING:
    from multiid.attention.masked import MaskRule
    from multiid.evaluation.matching import Match, Matching
    from multiid.people.adapter import Adapter
    from multiid.people.encoders import EncoderConfig, EncoderV2Config, IDEncoder, IDEncoderV2
    from multiid.people.enrolment import encode_identity
    from multiid.people.faces import Face, FaceAnalyzer, face_analyzer
    from multiid.people.identity import Identity
    from multiid.people.photo import load_photo, load_photos
    from multiid.people.split import GroupSplit, Portrait, split_group
    from multiid.pipeline.anchor import Anchor
    from multiid.pipeline.anchoring import anchor_bytes
    from multiid.pipeline.attempts import Finish, Watch
    from multiid.pipeline.casting import CastBy, Casting, cast_people
    from multiid.pipeline.composer import Composer
    from multiid.pipeline.download import Download, plan_download
    from multiid.pipeline.init_image import InitImage
    from multiid.pipeline.inventory import Part, take_stock
    from multiid.pipeline.listing import ListedPreset, list_presets
    from multiid.pipeline.loading import load_adapter, load_faces
    from multiid.pipeline.merging import Progress
    from multiid.pipeline.preset_file import preset_schema
    from multiid.pipeline.preset_record import Defaults, Preset
    from multiid.pipeline.presets import PRESETS, find_preset
    from multiid.pipeline.recipe import Recipe, find_identities, read_recipe
    from multiid.pipeline.refining import refine_faces
    from multiid.pipeline.result import Picture
    from multiid.pipeline.scene import Control, Lora, Person, Scene
    from multiid.pipeline.scene_file import load_scene_file, scene_schema
    from multiid.pipeline.staging import Stage
    from multiid.pipeline.verification import Attempt, Verification
    from multiid.pipeline.verifying import verify_picture
    from multiid.poses.body import Body
    from multiid.poses.draw import draw_control_image
    from multiid.poses.extract import ExtractedPose, PoseReader, extract_pose
    from multiid.poses.library import find_templates
    from multiid.poses.openpose import OpenPoseReader
    from multiid.poses.skeleton import Place, Pose, Skeleton
    from multiid.poses.template_variants import vary_template
    from multiid.poses.templates import Template, load_template, template_names, template_schema, templates_for
    from multiid.poses.variants import Reframed, mirrored, on_canvas, reframed, reordered, without
    from multiid.poses.views import Framing
    from multiid.prompts import Layout
    from multiid.story.making import PanelProgress
    from multiid.story.reading import StoryDocument, load_story
    from multiid.story.run import StoryRun
    from multiid.story.script import Story, story_schema
    from multiid.story.store import KeptPanel, PanelOutcome
    from multiid.suites.evaluation import evaluate_suite
    from multiid.suites.outcome import Cell, Figure, SuiteOutcome
    from multiid.suites.report import write_report
    from multiid.suites.run import SuiteProgress
    from multiid.suites.suite import suite_schema

__version__ = "0.1.0"

_HOMES = {
    "multiid.attention.masked": ("MaskRule",),
    "multiid.evaluation.matching": ("Match", "Matching"),
    "multiid.people.adapter": ("Adapter",),
    "multiid.people.encoders": ("EncoderConfig", "EncoderV2Config", "IDEncoder", "IDEncoderV2"),
    "multiid.people.enrolment": ("encode_identity",),
    "multiid.people.faces": ("Face", "FaceAnalyzer", "face_analyzer"),
    "multiid.people.identity": ("Identity",),
    "multiid.people.photo": ("load_photo", "load_photos"),
    "multiid.people.split": ("GroupSplit", "Portrait", "split_group"),
    "multiid.pipeline.anchor": ("Anchor",),
    "multiid.pipeline.anchoring": ("anchor_bytes",),
    "multiid.pipeline.attempts": ("Finish", "Watch"),
    "multiid.pipeline.casting": ("CastBy", "Casting", "cast_people"),
    "multiid.pipeline.composer": ("Composer",),
    "multiid.pipeline.download": ("Download", "plan_download"),
    "multiid.pipeline.init_image": ("InitImage",),
    "multiid.pipeline.inventory": ("Part", "take_stock"),
    "multiid.pipeline.listing": ("ListedPreset", "list_presets"),
    "multiid.pipeline.loading": ("load_adapter", "load_faces"),
    "multiid.pipeline.merging": ("Progress",),
    "multiid.pipeline.preset_file": ("preset_schema",),
    "multiid.pipeline.preset_record": ("Defaults", "Preset"),
    "multiid.pipeline.presets": ("PRESETS", "find_preset"),
    "multiid.pipeline.recipe": ("Recipe", "find_identities", "read_recipe"),
    "multiid.pipeline.refining": ("refine_faces",),
    "multiid.pipeline.result": ("Picture",),
    "multiid.pipeline.scene": ("Control", "Lora", "Person", "Scene"),
    "multiid.pipeline.scene_file": ("load_scene_file", "scene_schema"),
    "multiid.pipeline.staging": ("Stage",),
    "multiid.pipeline.verification": ("Attempt", "Verification"),
    "multiid.pipeline.verifying": ("verify_picture",),
    "multiid.poses.body": ("Body",),
    "multiid.poses.draw": ("draw_control_image",),
    "multiid.poses.extract": ("ExtractedPose", "PoseReader", "extract_pose"),
    "multiid.poses.library": ("find_templates",),
    "multiid.poses.openpose": ("OpenPoseReader",),
    "multiid.poses.skeleton": ("Place", "Pose", "Skeleton"),
    "multiid.poses.template_variants": ("vary_template",),
    "multiid.poses.templates": ("Template", "load_template", "template_names", "template_schema", "templates_for"),
    "multiid.poses.variants": ("Reframed", "mirrored", "on_canvas", "reframed", "reordered", "without"),
    "multiid.poses.views": ("Framing",),
    "multiid.prompts": ("Layout",),
    "multiid.story.making": ("PanelProgress",),
    "multiid.story.reading": ("StoryDocument", "load_story"),
    "multiid.story.run": ("StoryRun",),
    "multiid.story.script": ("Story", "story_schema"),
    "multiid.story.store": ("KeptPanel", "PanelOutcome"),
    "multiid.suites.evaluation": ("evaluate_suite",),
    "multiid.suites.outcome": ("Cell", "Figure", "SuiteOutcome"),
    "multiid.suites.report": ("write_report",),
    "multiid.suites.run": ("SuiteProgress",),
    "multiid.suites.suite": ("suite_schema",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "PRESETS",
    "Adapter",
    "Anchor",
    "Attempt",
    "Body",
    "Box",
    "CastBy",
    "Casting",
    "Cell",
    "Composer",
    "Control",
    "Defaults",
    "Download",
    "EncoderConfig",
    "EncoderV2Config",
    "ExtractedPose",
    "Face",
    "FaceAnalyzer",
    "Figure",
    "Finish",
    "Framing",
    "GroupSplit",
    "IDEncoder",
    "IDEncoderV2",
    "Identity",
    "InitImage",
    "KeptPanel",
    "Layout",
    "ListedPreset",
    "Lora",
    "MaskRule",
    "Match",
    "Matching",
    "OpenPoseReader",
    "PanelOutcome",
    "PanelProgress",
    "Part",
    "Person",
    "Picture",
    "Place",
    "Point",
    "Portrait",
    "Pose",
    "PoseReader",
    "Preset",
    "Progress",
    "Recipe",
    "Reframed",
    "Scene",
    "Size",
    "Skeleton",
    "Stage",
    "Story",
    "StoryDocument",
    "StoryRun",
    "SuiteOutcome",
    "SuiteProgress",
    "Template",
    "Verification",
    "Watch",
    "__version__",
    "anchor_bytes",
    "cast_people",
    "draw_control_image",
    "encode_identity",
    "evaluate_suite",
    "extract_pose",
    "face_analyzer",
    "find_identities",
    "find_preset",
    "find_templates",
    "list_presets",
    "load_adapter",
    "load_faces",
    "load_photo",
    "load_photos",
    "load_scene_file",
    "load_story",
    "load_template",
    "mirrored",
    "on_canvas",
    "plan_download",
    "preset_schema",
    "read_recipe",
    "refine_faces",
    "reframed",
    "reordered",
    "scene_schema",
    "split_group",
    "story_schema",
    "suite_schema",
    "take_stock",
    "template_names",
    "template_schema",
    "templates_for",
    "vary_template",
    "verify_picture",
    "without",
    "write_report",
]
__all__ += errors.__all__


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'multiid' has no attribute '{name}'")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
