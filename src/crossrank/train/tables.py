"""TOML tables as frozen dataclasses: what is not known or of another type is told by its key."""

from __future__ import annotations

import dataclasses
import tomllib
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from crossrank.errors import BadInput, NotFound

T = TypeVar("T")


def load(cls: type[T], path: Path) -> T:
    """The value that a TOML file describes. Paths in it are relative to the file's folder.

    Raises NotFound for a missing file, BadInput, naming file and key, for anything else.
    """
    if not path.is_file():
        raise NotFound(f"a configuration file wanted, {path} is not there: check the path")
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path}: TOML wanted, got something else: {error}") from None
    try:
        return read(cls, document, "", path.parent)
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from None


def read(cls: type[T], table: Mapping[str, Any], where: str, folder: Path) -> T:
    """The dataclass `cls` from a table; `where` names the table in messages."""
    hints = get_type_hints(cls)
    known = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise BadInput(
            f"{where or 'the top level'} knows {', '.join(known)}; got {', '.join(unknown)}"
        )
    missing = [name for name, field in known.items() if _needed(field) and name not in table]
    if missing:
        raise BadInput(f"{_key(where, missing[0])} wanted, it is not there")
    values = {
        name: _value(hints[name], value, _key(where, name), folder) for name, value in table.items()
    }
    try:
        return cls(**values)
    except BadInput as error:
        raise BadInput(f"{where}: {error}" if where else str(error)) from None


def _needed(field: dataclasses.Field[Any]) -> bool:
    nothing = dataclasses.MISSING
    return field.default is nothing and field.default_factory is nothing


def _key(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _value(kind: Any, value: Any, where: str, folder: Path) -> Any:
    if get_origin(kind) in (types.UnionType,):
        return _first_that_fits(kind, value, where, folder)
    if get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise BadInput(f"{where}: a list wanted, got {value!r}")
        inner = get_args(kind)[0]
        return tuple(_value(inner, each, f"{where}[{i}]", folder) for i, each in enumerate(value))
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise BadInput(f"{where}: a table wanted, got {value!r}")
        return read(kind, value, where, folder)  # type: ignore[arg-type]
    if kind is Path and isinstance(value, str):
        return folder / value
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not kind:
        raise BadInput(f"{where}: {_named(kind)} wanted, got {value!r}")
    return value


def _first_that_fits(kind: Any, value: Any, where: str, folder: Path) -> Any:
    options = [each for each in get_args(kind) if each is not type(None)]
    for option in options:
        is_list = get_origin(option) is tuple
        if isinstance(value, list) == is_list:
            return _value(option, value, where, folder)
    return _value(options[0], value, where, folder)


def _named(kind: Any) -> str:
    names = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
    return names.get(kind, "a path" if kind is Path else str(kind))
