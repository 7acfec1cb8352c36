"""The selftest in numbers, as JSON that says with what and against what it was measured."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from multiid import __version__
from multiid.evaluation.likeness import likeness_of
from multiid.mini.demo.show import Sighting
from multiid.pipeline.preset_record import Preset
from multiid.selftest.run import Made, Session
from multiid.selftest.tasks import WAYS
from multiid.selftest.verdict import Tally, Verdict, tally

__all__ = ["to_json"]

_FORMAT = "multiid-selftest-1"
_DIGITS = 4


def to_json(preset: Preset, session: Session, made: Sequence[Made], verdict: Verdict) -> str:
    """Everything that was measured. People are named; no photo, embedding or path is in it."""
    recogniser = session.judge.recogniser or ""
    names = [sitter.name for sitter in session.sitters]
    alike = session.references @ session.references.T
    document: dict[str, Any] = {
        "format": _FORMAT,
        "verdict": str(verdict),
        "works": verdict.works,
        "criteria": [{**asdict(criterion), "met": criterion.met} for criterion in verdict.criteria],
        "advice": verdict.advice,
        "preset": preset.recorded,
        "models": session.models,
        "licences": preset.licences,
        "versions": {"multiid": __version__} | {name: version(name) for name in ("torch", "diffusers", "transformers")},
        "layout": verdict.layout,
        "steps": session.steps or preset.defaults.steps,
        "seeds": session.seeds,
        "judge": {"recogniser": recogniser, "same_person_from": likeness_of(recogniser).same},
        "people": [
            {
                "name": sitter.name,
                "noun": sitter.noun,
                "given": len(sitter.given),
                "likeness_to_others": {
                    other: value for other, value in zip(names, alike[index], strict=True) if other != sitter.name
                },
            }
            for index, sitter in enumerate(session.sitters)
        ],
        "ways": {str(way): _counted(tally([m for m in made if m.task.way == way])) for way in WAYS},
        "pictures": [_picture(picture, names) for picture in made],
    }
    return json.dumps(_rounded(document), indent=2, ensure_ascii=False) + "\n"


def _counted(counted: Tally) -> dict[str, Any]:
    return {**asdict(counted), "found_rate": counted.found_rate, "right_rate": counted.right_rate}


def _picture(made: Made, names: Sequence[str]) -> dict[str, Any]:
    if made.kept is None:
        return {"file": made.task.file, "unmade": made.unmade}
    return {
        "file": made.task.file,
        "seconds": made.kept.seconds,
        "strangers": made.strangers,
        "faces": [_face(seen, names, own) for own, seen in zip(names[: made.task.people], made.sightings, strict=True)],
    }


def _face(seen: Sighting | None, names: Sequence[str], own: str) -> dict[str, Any]:
    if seen is None:
        return {"expected": own, "seen": None}
    likeness = dict(zip(names, seen.similarities, strict=True))
    return {"expected": own, "seen": names[seen.nearest], "box": seen.box.corners, "likeness": likeness}


def _rounded(value: Any) -> Any:
    """The same with every fraction at four digits."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return round(float(value), _DIGITS) if hasattr(value, "__float__") and not isinstance(value, int) else value
