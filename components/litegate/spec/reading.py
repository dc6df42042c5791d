"""Reading a spec file: strict YAML in, a frozen spec or one clear error out."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from litegate.digest import digest_bytes, digest_json
from litegate.errors import SpecError
from litegate.spec.section import Section, section_in
from litegate.spec.whole import Spec

__all__ = ["load_spec", "parse_spec", "spec_digest", "with_absolute_uris"]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Refuses a key that is there twice: one of the two would be lost without a word.

    Where PyYAML has been built with libyaml, that reads the text, in a fifth of the time.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is there twice", node.start_mark)
        found: dict[Any, Any] = super().construct_mapping(node, deep)
        return found


def parse_spec(data: Any, source: str = "spec") -> Spec:
    """Check `data`, the parsed YAML, and freeze it.

    Raises:
        SpecError: with the first thing that is wrong.
    """
    if not isinstance(data, dict):
        raise SpecError(source, "a mapping of spec keys", type(data).__name__)
    try:
        return Spec.model_validate(data)
    except ValidationError as error:
        raise _spec_error(error.errors()[0], source) from None


def load_spec(path: str | Path) -> Spec:
    """Read a spec file; local URIs in it become absolute, relative to the file's real folder.

    Raises:
        SpecError: if the file cannot be read or parsed, or with the first thing that is wrong in it.

    Examples:
        >>> spec = litegate.load_spec("spec.yaml")
        >>> spec.variants, spec.gate.max_drop
        (('dynamic_range', 'int8'), 0.05)
        >>> litegate.load_spec("none.yaml")
        Traceback (most recent call last):
        litegate.errors.SpecError: none.yaml: expected a readable spec file, got No such file or directory
    """
    path = Path(path)
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  a safe loader, but stricter
    except OSError as error:
        raise SpecError(str(path), "a readable spec file", error.strerror or str(error)) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(str(path), "valid YAML", " ".join(str(error).split())) from None
    spec = parse_spec(data, str(path))
    return with_absolute_uris(spec, path.resolve().parent)


def spec_digest(path: str | Path) -> str:
    """SHA-256 of what a spec file says and of the place that it is found at; a link is a place of its own.

    Raises:
        SpecError: if the file cannot be read.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise SpecError(str(path), "a readable spec file", error.strerror or str(error)) from None
    return digest_json([str(path.parent.resolve() / path.name), digest_bytes(content)])


def with_absolute_uris(spec: Spec, folder: Path) -> Spec:
    """The spec with its relative addresses as those of files in a folder."""

    def absolute(section: Any) -> Any:
        found = {key: getattr(section, key, None) for key in ("uri", "recipe")}
        local = {key: str(folder / uri) for key, uri in found.items() if uri is not None and "://" not in uri}
        return section.model_copy(update=local) if local else section

    sections = ("model", "calibration", "evaluation", "requalify")
    found = {name: section for name in sections if (section := getattr(spec, name)) is not None}
    whole: dict[str, Any] = {name: absolute(section) for name, section in found.items()}
    recorded = spec.model.recorded_outputs
    if recorded is not None and "://" not in recorded:
        whole["model"] = whole["model"].model_copy(update={"recorded_outputs": str(folder / recorded)})
    training = spec.fine_tune
    if training is not None and "://" not in training.data:
        whole["fine_tune"] = training.model_copy(update={"data": str(folder / training.data)})
    device = spec.evaluation.device
    if device is not None and "://" not in device.evidence:
        own = device.model_copy(update={"evidence": str(folder / device.evidence)})
        whole["evaluation"] = whole["evaluation"].model_copy(update={"device": own})
    return spec.model_copy(update=whole | {"candidates": tuple(map(absolute, spec.candidates))})


def _spec_error(error: ErrorDetails, source: str) -> SpecError:
    path = [str(part) for part in error["loc"]]
    where = f"{source}: {'.'.join(path)}" if path else source
    if error["type"] == "extra_forbidden":
        known = _known_keys(path[:-1])
        close = get_close_matches(path[-1], known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        return SpecError(where, f"one of the known keys {', '.join(known)}", f"the unknown key {path[-1]!r}{hint}")
    if error["type"] == "missing":
        return SpecError(where, "a value, the key is required", "nothing")
    if error["type"] == "named":
        key = error["ctx"].get("key", "" if path else "variants")
        inner = ".".join(part for part in (*path, key) if part)
        return SpecError(f"{source}: {inner}", error["msg"], error["ctx"]["got"])
    if error["type"] == "tuple_type":
        expected = "'all' or a list of variants" if path == ["variants"] else "a list"
        return SpecError(where, expected, _bounded(error["input"]))
    expected = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return SpecError(where, expected, _bounded(error["input"]))


def _bounded(value: Any, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _known_keys(path: list[str]) -> list[str]:
    section: type[Section] | None = Spec
    for part in path:
        if section is not None and not part.isdigit():  # a number is a place in a list of sections
            section = section_in(section.model_fields[part].annotation)
    return [] if section is None else list(section.model_fields)
