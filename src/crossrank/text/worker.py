"""A process that analyses chunks for another one: a message in, a message out, until no more comes.

A message is eight bytes of length, then UTF-8 strings with NUL between them (a NUL inside a string
becomes another mark that no rule knows). The first one is the analyser as JSON; each later one is a
language or nothing, and chunks in texts of it, answered by the terms of each. Started as
`python -c "from crossrank.text.worker import main; main()"`.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Sequence
from typing import BinaryIO, Final

from crossrank.text.analyzer import Analyzer
from crossrank.text.language import Language

_LANGUAGES: Final[dict[str, Language | None]] = {"de": "de", "en": "en", "": None}


def write_message(stream: BinaryIO, texts: Sequence[str]) -> None:
    """Sends strings; at least one."""
    body = "\0".join(text.replace("\0", "\1") for text in texts).encode("utf-8", "replace")
    stream.write(len(body).to_bytes(8, "little"))
    stream.write(body)
    stream.flush()


def read_message(stream: BinaryIO) -> list[str]:
    """The strings of the next message; EOFError when the other side is gone."""
    head = stream.read(8)
    size = int.from_bytes(head, "little")
    body = stream.read(size)
    if len(head) < 8 or len(body) < size:
        raise EOFError
    return body.decode().split("\0")


def main() -> None:
    """Answers on standard output until standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the business of the parent
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    try:
        analyzer = Analyzer.from_dict(json.loads(read_message(source)[0]))
        while True:
            language, *chunks = read_message(source)
            write_message(sink, analyzer.chunks(_LANGUAGES[language], chunks))
    except (EOFError, BrokenPipeError):
        sys.stderr.close()
