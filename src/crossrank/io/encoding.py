"""Input files as lines of bytes or text, packed or not, in any encoding, or standard input."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, Final, Self, cast

from crossrank.errors import BadInput

_BOM: Final = b"\xef\xbb\xbf"
_GZIP: Final = b"\x1f\x8b"
_WIDE: Final = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True, slots=True)
class Source:
    """One input: its name in messages, its path (`-` for standard input), its encoding."""

    name: str
    path: Path
    encoding: str = "utf-8"

    @classmethod
    def stdin(cls, encoding: str) -> Self:
        """Standard input."""
        return cls("stdin", Path("-"), encoding)

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The bytes, unpacked if they are gzip (told by content, not by name).

        Raises BadInput for a damaged gzip, and for UTF-16 that was not asked for.
        """
        with self._raw() as raw:
            packed = raw.peek(2)[:2] == _GZIP
            stream = BufferedReader(gzip.GzipFile(fileobj=raw)) if packed else raw
            try:
                wide = _WIDE.get(stream.peek(2)[:2])
                if wide and not self.encoding.lower().startswith("utf-16"):
                    raise BadInput(
                        f"{self.name}: {self.encoding} text wanted, this is UTF-16: "
                        "say --encoding utf-16"
                    )
                yield cast(BinaryIO, stream)
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                raise BadInput(f"{self.name}: damaged gzip file: {error}") from error

    @contextmanager
    def _raw(self) -> Iterator[BufferedReader]:
        if str(self.path) == "-":
            given: Any = sys.stdin.buffer  # some programs put a plain stream in its place
            yield given if isinstance(given, BufferedReader) else BufferedReader(given)
        else:
            with self.path.open("rb") as raw:
                yield raw

    def lines(self) -> Iterator[tuple[int, str]]:
        """Each line with its number from 1 and its line end.

        Bytes that are not in the encoding become half surrogates (U+DC80 and up), so that one bad
        line does not hide the others; whoever reads the line reports it.
        """
        with self.opened() as stream:
            if "\n".encode(self.encoding) != b"\n":  # utf-16 and the like have no lines of bytes
                wide = TextIOWrapper(stream, self.encoding, errors="replace", newline="\n")
                yield from enumerate(wide, 1)
                return
            for number, line in enumerate(stream, 1):
                kept = line.removeprefix(_BOM) if number == 1 else line
                yield number, kept.decode(self.encoding, "surrogateescape")


def undecodable(text: str, encoding: str) -> str:
    """What to tell about a line with bytes that are not in its encoding."""
    raw = text.encode("utf-8", "surrogateescape")
    at = next(i for i, char in enumerate(text) if "\ud800" <= char <= "\udfff")
    bad = text[at].encode("utf-8", "surrogateescape")
    near = raw[max(0, at - 15) : at + 15].decode("latin-1")
    return (
        f"the byte 0x{bad.hex()} at character {at + 1} is not {encoding} (near {near!r}): "
        "if the file is in another encoding say so, as in --encoding cp1252"
    )
