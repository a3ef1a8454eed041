"""Documents from every kind of file: what is read, and what is reported with file and line."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.errors import BadInput, NotFound
from crossrank.io.document import Document, Names
from crossrank.io.documents import Reading, format_of, read_documents
from crossrank.io.problems import (
    BROKEN_LINE,
    EMPTY_TEXT,
    OTHER_FILE,
    WRONG_ENCODING,
    Problems,
)


def _read(
    path: Path | str, problems: Problems | None = None, reading: Reading | None = None
) -> list[Document]:
    return list(read_documents([path], problems if problems is not None else Problems(strict=True),
                               reading))  # fmt: skip


def _file(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


LINES = (
    '{"_id": "1", "title": "T", "text": "Größe", "n": 3, "none": null}\n\n{"id": 2, "text": "x"}'
)


def test_json_lines_plain_packed_and_from_standard_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = _file(tmp_path, "a.jsonl", LINES)
    wanted = [
        Document("1", "Größe", "T", {"n": 3}, f"{plain}:1"),
        Document("2", "x", "", {}, f"{plain}:3"),
    ]
    assert _read(plain) == wanted
    packed = _file(tmp_path, "b.jsonl.gz", gzip.compress(LINES.encode()))
    misnamed = _file(tmp_path, "c.jsonl", gzip.compress(LINES.encode()))  # told by content
    assert [each.id for each in [*_read(packed), *_read(misnamed)]] == ["1", "2", "1", "2"]
    for content in (
        LINES.encode(),
        gzip.compress(LINES.encode()),
        b"\xef\xbb\xbf" + LINES.encode(),
    ):
        stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(content)))
        monkeypatch.setattr(sys, "stdin", stdin)
        assert [each.source for each in _read("-")] == ["stdin:1", "stdin:3"]


def test_what_is_wrong_with_json_lines_is_reported_with_its_line(tmp_path: Path) -> None:
    bad = [
        (b'{"_id": "1"', BROKEN_LINE, "JSON object"),
        (b"[1]", BROKEN_LINE, "JSON object"),
        (b"[" * 100_000, BROKEN_LINE, "JSON object"),
        (b'{"text": "x"}', BROKEN_LINE, "_id or id"),
        (b'{"_id": true, "text": "x"}', BROKEN_LINE, "_id or id"),
        (b'{"_id": "", "text": "x"}', BROKEN_LINE, "_id or id"),
        (b'{"_id": "1", "text": 5}', BROKEN_LINE, "'text'"),
        (b'{"_id": "1", "title": ["x"], "text": "y"}', BROKEN_LINE, "'title'"),
        (b'{"_id": "1", "text": " "}', EMPTY_TEXT, "no title and no text"),
        (b'{"_id": "1", "text": null}', EMPTY_TEXT, "no title and no text"),
        (b'{"_id": "1", "text": "\\ud800"}', BROKEN_LINE, "surrogate"),
        ('{"_id": "1", "text": "für"}'.encode("cp1252"), WRONG_ENCODING, "cp1252"),
    ]
    content = b"\n".join([*(line for line, _, _ in bad), b'{"_id": "good", "text": "x"}'])
    path = _file(tmp_path, "a.jsonl", content)
    problems = Problems(keep=99)
    assert [each.id for each in _read(path, problems)] == ["good"]
    assert len(problems) == len(bad)
    for number, (problem, (_, kind, words)) in enumerate(zip(problems.first, bad, strict=True), 1):
        assert problem.source == f"{path}:{number}"
        assert problem.kind == kind and words in problem.text
        assert len(problem.text) < 300
    with pytest.raises(BadInput, match=rf"{path}:1.*--strict"):
        _read(path, Problems(strict=True))


def test_only_the_first_problems_of_a_kind_are_kept_and_all_counted() -> None:
    problems = Problems(keep=2)
    for number in range(5):
        problems.report(BROKEN_LINE, f"f:{number}", "x")
    problems.report(EMPTY_TEXT, "f:9", "y")
    assert [str(each) for each in problems.first] == [
        "f:0: broken line: x",
        "f:1: broken line: x",
        "f:9: empty text: y",
    ]
    assert problems.counts == {BROKEN_LINE: 5, EMPTY_TEXT: 1} and len(problems) == 6


def test_csv_with_types_quotes_and_any_delimiter(tmp_path: Path) -> None:
    rows = 'id;text;price;code;empty\n1;"a ""b"";\nc";3;007;\n2;d;4.5;12;\n3;e;;13;x\n'
    path = _file(tmp_path, "a.csv", rows)
    found = _read(path)
    assert [each.text for each in found] == ['a "b";\nc', "d", "e"]
    assert found[0].fields == {"price": 3, "code": "007"}
    assert found[1].fields == {"price": 4.5, "code": "12"}
    assert found[2].fields == {"code": "13", "empty": "x"}
    assert [each.source for each in found] == [f"{path}:{line}" for line in (2, 4, 5)]
    for mark in ",|\t":
        plain = _file(tmp_path, "b.csv", f"_id{mark}title{mark}text\n1{mark}t{mark}x\n")
        assert _read(plain) == [Document("1", "x", "t", {}, f"{plain}:2")]


def test_tsv_takes_quotation_marks_as_they_are_and_a_header_from_outside(tmp_path: Path) -> None:
    path = _file(tmp_path, "collection.tsv", '0\t5" pipe\n1\t"open\n2\n')
    problems = Problems()
    reading = Reading(names=Names(columns=("id", "text")))
    found = _read(path, problems, reading)
    assert [(each.id, each.text) for each in found] == [("0", '5" pipe'), ("1", '"open')]
    assert [str(each) for each in problems.first] == [
        f"{path}:3: broken line: 2 columns wanted, got 1"
    ]


def test_csv_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--id-field"):
        _read(_file(tmp_path, "a.csv", "nr,text\n1,x\n"))
    with pytest.raises(BadInput, match="--text-field"):
        _read(_file(tmp_path, "b.csv", "id,body\n1,x\n"))
    with pytest.raises(BadInput, match="different column names"):
        _read(_file(tmp_path, "c.csv", "id,text,text\n1,x,y\n"))
    assert _read(_file(tmp_path, "d.csv", "")) == []
    names = Names(id="nr", text="body", title="head")
    found = _read(_file(tmp_path, "e.csv", "nr,head,body\n1,h,x\n"), None, Reading(names=names))
    assert found[0].title == "h" and found[0].text == "x" and found[0].id == "1"
    latin = "id,text\n1,für\n2,x\n".encode("latin-1")
    problems = Problems()
    assert [each.id for each in _read(_file(tmp_path, "f.csv", latin), problems)] == ["2"]
    assert problems.first[0].kind == WRONG_ENCODING and ":2" in problems.first[0].source
    found = _read(tmp_path / "f.csv", None, Reading(encoding="latin-1"))
    assert found[0].text == "für"


def test_wide_encodings(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.jsonl", LINES.encode("utf-16"))
    with pytest.raises(BadInput, match="--encoding utf-16"):
        _read(path)
    assert _read(path, None, Reading(encoding="utf-16"))[0].text == "Größe"
    with pytest.raises(BadInput, match="cp1252"):
        Reading(encoding="utf-77")
    with pytest.raises(BadInput, match="jsonl, csv"):
        Reading(format="xml")


def test_a_folder_of_texts(tmp_path: Path) -> None:
    _file(tmp_path, "b/readme.md", "# Der Kopf #\r\n\r\nDer Text.\r\n")
    _file(tmp_path, "a.txt", "  Nur Text\n# kein Kopf\n")
    _file(tmp_path, "b/c.txt.gz", gzip.compress(b"packed"))
    _file(tmp_path, ".git/x.txt", "hidden")
    _file(tmp_path, "empty.md", "\n \n")
    _file(tmp_path, "image.png", b"\x89PNG")
    _file(tmp_path, "latin.txt", "für\n".encode("latin-1"))
    problems = Problems()
    found = {each.id: (each.title, each.text) for each in _read(tmp_path, problems)}
    assert found == {
        "a.txt": ("", "Nur Text\n# kein Kopf"),
        "b/c.txt.gz": ("", "packed"),
        "b/readme.md": ("Der Kopf", "Der Text."),
    }
    assert problems.counts == {EMPTY_TEXT: 1, OTHER_FILE: 1, WRONG_ENCODING: 1}
    (tmp_path / "none").mkdir()
    with pytest.raises(BadInput, match="neither"):
        _read(tmp_path / "none")


def test_a_beir_folder_is_its_corpus(tmp_path: Path) -> None:
    _file(tmp_path, "queries.jsonl", '{"_id": "q", "text": "q"}')
    _file(tmp_path, "corpus.jsonl.gz", gzip.compress(LINES.encode()))
    assert [each.id for each in _read(tmp_path)] == ["1", "2"]


def test_paths_and_formats_are_checked_before_anything_is_read(tmp_path: Path) -> None:
    path = _file(tmp_path, "a.jsonl", LINES)
    with pytest.raises(NotFound, match="nowhere"):
        read_documents([path, tmp_path / "nowhere"], Problems())
    odd = _file(tmp_path, "a.log", LINES)
    with pytest.raises(BadInput, match="--format"):
        _read(odd)
    assert len(_read(odd, None, Reading(format="jsonl"))) == 2
    assert format_of(Path("x.TSV.gz")) == "tsv"


def test_a_damaged_gzip_is_an_error(tmp_path: Path) -> None:
    whole = gzip.compress((LINES + "\n").encode() * 1000)
    path = _file(tmp_path, "a.jsonl.gz", whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="damaged gzip"):
        _read(path)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(texts, texts.filter(lambda text: bool(text.strip())), texts)
def test_any_text_survives_json_lines(
    tmp_path_factory: pytest.TempPathFactory, title: str, text: str, field: str
) -> None:
    row = {"_id": "1", "title": title, "text": text, "field": field}
    for ascii_only in (True, False):
        line = json.dumps(row, ensure_ascii=ascii_only)
        path = _file(tmp_path_factory.mktemp("json"), "a.jsonl", line + "\r\n")
        assert _read(path) == [Document("1", text, title, {"field": field}, f"{path}:1")]
