"""Documents from files: JSONL, CSV, TSV, a BEIR folder, a folder of texts, gz of each, stdin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from crossrank.errors import BadInput, NotFound
from crossrank.io.delimited import read_delimited
from crossrank.io.document import Document, Names
from crossrank.io.encoding import Source
from crossrank.io.json_documents import read_json_lines
from crossrank.io.problems import OTHER_FILE, Problems
from crossrank.io.text_files import read_text_file

STDIN: Final = "-"
SUFFIXES: Final = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".txt": "text",
    ".md": "text",
}
FORMATS: Final = ("auto", "jsonl", "csv", "tsv", "text")


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read: `format` "auto" goes by the suffix, standard input is then JSONL."""

    format: str = "auto"
    encoding: str = "utf-8"
    names: Names = field(default_factory=Names)

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise BadInput(f"a format of {', '.join(FORMATS)} wanted, got {self.format!r}")
        try:
            "".encode(self.encoding)
        except LookupError:
            raise BadInput(
                f"a character encoding such as utf-8, cp1252 or utf-16 wanted, "
                f"got {self.encoding!r}"
            ) from None


def read_documents(
    paths: Sequence[str | Path], problems: Problems, reading: Reading | None = None
) -> Iterator[Document]:
    """The documents of files, folders and standard input (`-`), in order, one at a time.

    Lines that cannot be used are reported to `problems` with file and line. Raises NotFound for
    a path that is not there (before the first document) and BadInput for a file whose format
    cannot be told.
    """
    how = reading or Reading()
    for path in paths:
        if str(path) != STDIN and not Path(path).exists():
            raise NotFound(f"a file or folder wanted, {path} is not there: check the path")
    return (document for path in paths for document in _read(path, problems, how))


def _read(path: str | Path, problems: Problems, how: Reading) -> Iterator[Document]:
    if str(path) == STDIN:
        kind = "jsonl" if how.format == "auto" else how.format
        return _read_source(Source.stdin(how.encoding), kind, "stdin", problems, how)
    if Path(path).is_dir():
        return _read_folder(Path(path), problems, how)
    kind = format_of(Path(path)) if how.format == "auto" else how.format
    source = Source(str(path), Path(path), how.encoding)
    return _read_source(source, kind, Path(path).name, problems, how)


def _read_source(
    source: Source, kind: str, name: str, problems: Problems, how: Reading
) -> Iterator[Document]:
    if kind == "jsonl":
        return read_json_lines(source, problems, how.names)
    if kind == "text":
        return read_text_file(source, name, problems)
    return read_delimited(source, "\t" if kind == "tsv" else "", problems, how.names)


def format_of(path: Path) -> str:
    """The format that a file name tells, `.gz` or not. Raises BadInput for an unknown one."""
    bare = path.with_suffix("") if path.suffix == ".gz" else path
    if bare.suffix.lower() not in SUFFIXES:
        raise BadInput(
            f"a file that ends in {', '.join(SUFFIXES)} (or .gz of these) wanted, got {path}: "
            "rename it or name its format with --format"
        )
    return SUFFIXES[bare.suffix.lower()]


def _read_folder(folder: Path, problems: Problems, how: Reading) -> Iterator[Document]:
    for name in ("corpus.jsonl", "corpus.jsonl.gz"):
        if (folder / name).is_file():
            source = Source(str(folder / name), folder / name, how.encoding)
            yield from read_json_lines(source, problems, how.names)
            return
    found = 0
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_dir() or any(part.startswith(".") for part in inside.parts):
            continue
        if _is_text(path):
            found += 1
            source = Source(str(path), path, how.encoding)
            yield from read_text_file(source, inside.as_posix(), problems)
        else:
            problems.report(OTHER_FILE, str(path), "not .txt or .md: name the file itself")
    if not found:
        raise BadInput(
            f"a BEIR folder (corpus.jsonl) or a folder of .txt or .md files wanted, "
            f"{folder} has neither"
        )


def _is_text(path: Path) -> bool:
    bare = path.with_suffix("") if path.suffix == ".gz" else path
    return bare.suffix.lower() in (".txt", ".md")
