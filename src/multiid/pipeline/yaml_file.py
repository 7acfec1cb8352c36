"""Reading YAML as plain data, with errors that name the line."""

from pathlib import Path
from typing import Any

import yaml

from multiid.errors import MultiIDError, SceneError

__all__ = ["read_yaml"]


class _Loader(yaml.SafeLoader):
    """Refuses a key that comes twice: YAML forbids it, but PyYAML lets the last one win unseen."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"the key '{key.value}' comes twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def read_yaml(file: Path, error_type: type[MultiIDError] = SceneError) -> Any:
    """What a YAML file says.

    Args:
        file: to read.
        error_type: what to raise.

    Raises:
        MultiIDError: of that type, when it is absent, unreadable or not YAML; the line is named.
    """
    try:
        return yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        problem = (error.problem or "it cannot be parsed").removeprefix("but ")
        raise error_type(
            f"{file}{line}: expected YAML, but this is none: {problem} (texts that begin with a brace or hold a colon "
            "need quotes)."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise error_type(f"{file}: expected YAML as UTF-8 text, but it holds other bytes.") from error
    except ValueError as error:  # what looks like a date or a number, and is none
        raise error_type(f"{file}: expected YAML, but a value in it cannot be read: {error}.") from error
    except RecursionError as error:
        raise error_type(f"{file}: expected YAML, but it is nested too deeply.") from error
    except OSError as error:
        raise error_type(f"{file}: expected a YAML file, but it cannot be read: {error.strerror}.") from error
