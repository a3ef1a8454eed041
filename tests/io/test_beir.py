"""BEIR folders, and files that are whole or not there."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from crossrank.errors import BadInput, NotFound
from crossrank.io.beir import read_beir, read_beir_queries, write_beir
from crossrank.io.lines import numbered_lines, replaced
from crossrank.io.trec import read_qrels


def _folder(folder: Path, packed: bool) -> Path:
    files = {
        "corpus.jsonl": '{"_id": "a", "title": "T", "text": "x"}\n{"_id": "b", "text": "y"}\n',
        "queries.jsonl": '{"_id": "q1", "text": "eins"}\n{"_id": "q2", "text": "zwei"}\n',
        "qrels/test.tsv": "query-id\tcorpus-id\tscore\nq2\tb\t2\nq2\ta\t0\n",
    }
    (folder / "qrels").mkdir(parents=True)
    for name, text in files.items():
        raw = text.encode()
        path = folder / (f"{name}.gz" if packed else name)
        path.write_bytes(gzip.compress(raw) if packed else raw)
    return folder


@pytest.mark.parametrize("packed", [False, True])
def test_reading_a_folder(tmp_path: Path, packed: bool) -> None:
    folder = _folder(tmp_path / "set", packed)
    dataset = read_beir(folder)
    assert dataset.name == "set/test"
    assert dataset.search.queries.ids == ("q2",) and dataset.search.queries.texts == ("zwei",)
    corpus = dataset.search.corpus
    assert corpus.texts(corpus.rows()) == ["T\nx", "y"]
    assert dataset.qrels.corpus.ids(dataset.qrels.docs) == ["b", "a"]
    write_beir(tmp_path / "copy", dataset.search, {"test": dataset.qrels})
    again = read_beir(tmp_path / "copy")
    assert again.search.queries == dataset.search.queries
    assert again.search.corpus.texts(corpus.rows()) == corpus.texts(corpus.rows())
    assert again.qrels.scores.tolist() == dataset.qrels.scores.tolist()


def test_what_is_missing_or_broken_is_named(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "set", packed=False)
    with pytest.raises(NotFound, match=r"dev\.tsv.*found test\.tsv"):
        read_beir(folder, "dev")
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "eins"}\n')
    with pytest.raises(NotFound, match="q2"):
        read_beir(folder)
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "eins"}\n{"_id": "q2"}\n')
    with pytest.raises(BadInput, match=r"queries\.jsonl:2: a string 'text'"):
        read_beir_queries(folder)
    (folder / "queries.jsonl").write_text("kaputt\n")
    with pytest.raises(BadInput, match=r"queries\.jsonl:1: a JSON object"):
        read_beir_queries(folder)


def test_lines_know_their_number_and_bad_bytes_theirs(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\xef\xbb\xbfeins\r\n\nzwei\n\xff\n")
    lines = numbered_lines(path)
    assert [next(lines), next(lines)] == [(1, "eins"), (3, "zwei")]
    with pytest.raises(BadInput, match=r"x:4: UTF-8"):
        next(lines)
    packed = gzip.compress(b"eins\n" * 9999)
    path.write_bytes(packed[:-20])
    with pytest.raises(BadInput, match="damaged gzip"):
        list(numbered_lines(path))
    with pytest.raises(NotFound):
        read_qrels(tmp_path / "none")


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / name
    with replaced(path) as out:
        out.write("erste Größe\n")
    first = path.read_bytes()
    with pytest.raises(RuntimeError, match="stop"), replaced(path) as out:
        out.write("halb")
        raise RuntimeError("stop")
    assert path.read_bytes() == first and [*path.parent.iterdir()] == [path]
    assert [text for _, text in numbered_lines(path)] == ["erste Größe"]
    with replaced(path) as out:
        out.write("erste Größe\n")
    assert path.read_bytes() == first  # packed files too are the same for the same text
