"""Text files by line: gz or plain, numbered for error messages, and written atomically."""

from __future__ import annotations

import gzip
import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from crossrank.errors import BadInput, NotFound

_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked if it is gzip (told by content, not by name).

    Raises NotFound when there is no such file.
    """
    if not path.is_file():
        raise NotFound(f"a file wanted, {path} is not there: check the path")
    with path.open("rb") as head:
        packed = head.read(2) == _GZIP_MAGIC
    with gzip.open(path, "rb") if packed else path.open("rb") as stream:
        yield cast(BinaryIO, stream)


def numbered_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Each line that is not blank, with its number from 1, without its line end.

    Raises BadInput, naming file and line, for bytes that are not UTF-8 and for a damaged gzip.
    """
    number = 0
    with opened(path) as stream:
        try:
            for number, line in enumerate(stream, 1):  # used in the error below
                text = (line.removeprefix(_BOM) if number == 1 else line).decode("utf-8")
                if text.strip():
                    yield number, text.rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise bad_line(path, number, "UTF-8 text", f"the bytes {error.object[:40]!r}") from None
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BadInput(f"{path}: damaged gzip file after line {number}: {error}") from error


def bad_line(path: Path, number: int, wanted: str, got: str) -> BadInput:
    """The error for a line that cannot be used: file, line, what was wanted, what came."""
    shown = got if len(got) <= 160 else got[:157] + "..."
    return BadInput(f"{path}:{number}: {wanted} wanted, got {shown}")


@contextmanager
def replaced(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text file to write; it takes the place of `path` only when all went well.

    A name that ends in `.gz` is packed (without a time stamp: the same text gives the same file).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as raw:
            if path.suffix == ".gz":
                with (
                    gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as packed,
                    TextIOWrapper(cast(BinaryIO, packed), "utf-8", newline="\n") as text,
                ):
                    yield text
            else:
                with TextIOWrapper(raw, "utf-8", newline="\n") as text:
                    yield text
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
