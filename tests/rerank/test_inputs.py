"""Candidates and pairs from lines: every form, and errors that name the line."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crossrank.errors import BadInput, NotFound
from crossrank.rerank.inputs import Given, read_candidates, read_pairs

Read = Callable[[Path], Iterator[Given]]


def write(folder: Path, text: str) -> Path:
    path = folder / "lines"
    path.write_text(text, encoding="utf-8")
    return path


def test_candidates_in_every_form(tmp_path: Path) -> None:
    lines = [
        '{"_id": "a", "title": "Titel", "text": "Text"}',
        '{"passage": "nur Text", "title": null}',
        '"ein \\u00dcbel"',
        "  [plain] text\t- as it is",
        "",
    ]
    found = list(read_candidates(write(tmp_path, "\n".join(lines) + "\r\n")))
    assert [each.document for each in found] == [
        "Titel\nText",
        "nur Text",
        "ein Übel",
        "[plain] text\t- as it is",
    ]
    assert found[0].fields["_id"] == "a"
    assert found[3].fields == {"text": "[plain] text\t- as it is"}


def test_pairs_in_every_form_packed_or_not(tmp_path: Path) -> None:
    text = '{"query": "q", "document": "d", "id": 7}\n{"text_a": "a", "text_b": "b"}\nx\ty z\n'
    path = tmp_path / "pairs.gz"
    path.write_bytes(gzip.compress(text.encode()))
    found = list(read_pairs(path))
    assert [(each.query, each.document) for each in found] == [("q", "d"), ("a", "b"), ("x", "y z")]
    assert found[0].fields["id"] == 7


@pytest.mark.parametrize(
    ("read", "line", "words"),
    [
        (read_candidates, '{"text": "a', r"lines:2: JSON \(.* at character 10\) wanted"),
        (read_candidates, '{"title": "a"}', r"lines:2: a string 'text' or .* wanted, got title"),
        (read_candidates, '{"text": 3}', r"lines:2: a string"),
        (read_pairs, '{"query": "a"}', r"lines:2: a string 'document' or"),
        (read_pairs, "a", r"lines:2: a JSON object, or two texts with one tab"),
        (read_pairs, "a\tb\tc", r"lines:2: a JSON object, or two texts"),
    ],
)
def test_errors_name_the_line(tmp_path: Path, read: Read, line: str, words: str) -> None:
    good = '{"query": "q", "text": "d"}'
    with pytest.raises(BadInput, match=words):
        list(read(write(tmp_path, f"{good}\n{line}\n")))


def test_wrong_bytes_and_missing_files(tmp_path: Path) -> None:
    path = tmp_path / "latin"
    path.write_bytes("Kühlschrank\n".encode("latin-1"))
    with pytest.raises(BadInput, match=r"latin:1: the byte 0xfc at character 2 is not utf-8"):
        list(read_candidates(path))
    with pytest.raises(NotFound, match="or - for standard input"):
        list(read_pairs(tmp_path / "nowhere"))
