"""Judged sets in the layouts in which they are distributed: small files of exactly that form."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from crossrank.errors import BadInput, MissingExtra, NotFound
from crossrank.io.cord19 import read_topics
from crossrank.io.judged import JudgedSet, judged_set
from crossrank.io.msmarco import read_top1000
from crossrank.io.queries import read_queries


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")


def judgements(found: JudgedSet) -> dict[str, dict[str, float]]:
    return {
        query: dict(zip(found.qrels.corpus.ids(rows), grades.tolist(), strict=True))
        for query, (rows, grades) in zip(found.qrels.queries.ids, found.qrels, strict=True)
    }


def ids(found: JudgedSet) -> list[str]:
    return [document.id for document in found.documents()]


def test_beir(tmp_path: Path) -> None:
    folder = tmp_path / "scifact"
    write(folder / "corpus.jsonl.gz", '{"_id": "d1", "title": "T", "text": "one"}\n')
    write(folder / "queries.jsonl", '{"_id": "q1", "text": "a"}\n{"_id": "q2", "text": "b"}\n')
    write(folder / "qrels/test.tsv", "query-id\tcorpus-id\tscore\nq2\td1\t1\n")
    found = judged_set(folder, "test")
    assert (found.name, found.queries.texts) == ("scifact/test", ("b",))
    assert ids(found) == ["d1"]
    assert ids(found) == ["d1"]  # read anew
    with pytest.raises(NotFound, match=r"qrels/dev\.tsv"):
        judged_set(folder, "dev")


COLLECTION = (
    "0\tThe presence of communication amid scientific minds.\n7\tKühlschränke \u2013 alle.\n"
)


def test_ms_marco_dev(tmp_path: Path) -> None:
    write(tmp_path / "collection.tsv", COLLECTION)
    write(
        tmp_path / "queries.dev.small.tsv", "1048585\twhat is paula deen's brother\n2\t Androgen\n"
    )
    write(tmp_path / "qrels.dev.small.tsv", "1048585\t0\t7\t1\n")
    found = judged_set(tmp_path, "dev.small")
    assert found.queries.texts == ("what is paula deen's brother",)
    assert judgements(found) == {"1048585": {"7": 1.0}}
    assert [doc.text for doc in found.documents()][1] == "Kühlschränke – alle."
    with pytest.raises(NotFound, match=r"the queries of dev \(queries\.dev\.tsv or .*found"):
        judged_set(tmp_path, "dev")


def test_trec_dl_2019_over_the_same_collection(tmp_path: Path) -> None:
    write(tmp_path / "collection.tsv.gz", COLLECTION)
    write(tmp_path / "msmarco-test2019-queries.tsv.gz", "19335\tanthropological definition\n9\tx\n")
    write(tmp_path / "2019qrels-pass.txt", "19335 Q0 0 0\n19335 Q0 7 3\n")
    found = judged_set(tmp_path, "2019")
    assert judgements(found) == {"19335": {"0": 0.0, "7": 3.0}}
    assert ids(found) == ["0", "7"]


def test_trec_dl_2021_over_the_second_collection(tmp_path: Path) -> None:
    passage = {"pid": "msmarco_passage_00_0", "passage": "0-60 times", "spans": "(0,10)",
               "docid": "msmarco_doc_00_0"}  # fmt: skip
    write(tmp_path / "msmarco_v2_passage/msmarco_v2_passage_00.gz", json.dumps(passage) + "\n")
    write(tmp_path / "2021_queries.tsv", "2082\tAt about what age do adults normally begin\n")
    write(tmp_path / "2021.qrels.pass.final.txt", "2082 0 msmarco_passage_00_0 2\n")
    found = judged_set(tmp_path, "2021")
    document = next(found.documents())
    assert (document.id, document.text) == ("msmarco_passage_00_0", "0-60 times")
    assert document.fields == {"docid": "msmarco_doc_00_0"}
    assert judgements(found) == {"2082": {"msmarco_passage_00_0": 2.0}}


def test_top1000_candidates_come_with_their_texts(tmp_path: Path) -> None:
    path = tmp_path / "top1000.dev.tsv"
    write(path, "5\t9\tthe query\tpassage nine\n5\t3\tthe query\tpassage three\n6\t9\tother\tn\n")
    found = read_top1000(path)
    assert found.queries.texts == ("the query", "other")
    assert [found.corpus.ids(docs) for docs, _ in found] == [["9", "3"], ["9"]]
    assert found.corpus.texts(found.docs[:2]) == ["passage nine", "passage three"]
    write(path, "5\t9\tpassage\n")
    with pytest.raises(BadInput, match=r"top1000\.dev\.tsv:1: four columns"):
        read_top1000(path)


TOPICS = """<?xml version="1.0" encoding="UTF-8" standalone="no"?>
<topics task="COVIDSearch">
  <topic number="1">
    <query>coronavirus origin</query>
    <question>what is the origin of COVID-19</question>
    <narrative>seeking range of information about the SARS-CoV-2 virus's origin</narrative>
  </topic>
</topics>
"""
METADATA = (
    "cord_uid,sha,source_x,title,doi,abstract,publish_time,journal\n"
    "ug7v899j,d1aa,PMC,Clinical features,10.1186/x,,2001-07-04,BMC\n"
    'ug7v899j,,Medline,Clinical features,10.1186/x,"OBJECTIVE: a study, of ""bats"".",2001,BMC\n'
    "02tnwd4m,6b05,PMC,Nitric oxide,,,,\n"
    "empty000,,PMC,,,,,\n"
)


def test_trec_covid(tmp_path: Path) -> None:
    write(tmp_path / "metadata.csv", METADATA)
    write(tmp_path / "topics-rnd5.xml", TOPICS)
    write(tmp_path / "qrels-covid_d5_j0.5-5.txt", "1 4.5 ug7v899j 2\n1 4 02tnwd4m 0\n")
    found = judged_set(tmp_path)
    assert found.queries.texts == ("what is the origin of COVID-19",)
    assert judgements(found) == {"1": {"ug7v899j": 2.0, "02tnwd4m": 0.0}}
    first, second = found.documents()
    assert (first.id, first.text) == ("ug7v899j", 'OBJECTIVE: a study, of "bats".')
    assert first.fields == {"publish_time": "2001", "journal": "BMC", "doi": "10.1186/x"}
    assert (second.id, second.title, second.text) == ("02tnwd4m", "Nitric oxide", "")
    assert read_topics(tmp_path / "topics-rnd5.xml", "query").texts == ("coronavirus origin",)
    write(tmp_path / "topics-rnd5.xml", "<topics>")
    with pytest.raises(BadInput, match="topics in XML"):
        judged_set(tmp_path)


def nq(answers: list[int], *, simplified: bool, name: int = 5655493461695504401) -> dict[str, Any]:
    text = "<H1> Web </H1> <P> A web is <B> spun </B> . </P> <Ul> <Li> one </Li> </Ul>"
    words = text.split(" ")
    candidates = [
        {"start_token": 3, "end_token": 11, "top_level": True},
        {"start_token": 11, "end_token": 16, "top_level": True},
        {"start_token": 12, "end_token": 15, "top_level": False},
    ]
    example: dict[str, Any] = {
        "example_id": name,
        "question_text": "what is a web",
        "document_url": "https://en.wikipedia.org//w/index.php?title=Spider_web&oldid=83",
        "long_answer_candidates": candidates,
        "annotations": [
            {"long_answer": {"start_token": start, "end_token": start + 1, "candidate_index": 0}}
            for start in answers
        ],
    }
    if simplified:
        return example | {"document_text": text}
    tokens = [{"token": word, "html_token": word.startswith("<")} for word in words]
    return example | {"document_tokens": tokens, "document_title": "Spider web"}


@pytest.mark.parametrize("simplified", [True, False])
def test_natural_questions(tmp_path: Path, simplified: bool) -> None:
    lines = [nq([3, 12, -1, -1, -1], simplified=simplified)]
    lines.append(nq([3, -1, -1, -1, -1], simplified=simplified, name=2))  # one of five: no answer
    lines.append(nq([-1], simplified=simplified, name=3))
    text = "".join(json.dumps(each) + "\n" for each in lines)
    write(tmp_path / "v1.0-simplified_nq-dev-all.jsonl.gz", text)
    found = judged_set(tmp_path, "dev")
    assert found.queries.texts == ("what is a web",)
    # the second annotator marked an item inside the list: the list is the paragraph
    assert judgements(found) == {"5655493461695504401": {"83-3": 1.0, "83-11": 1.0}}
    assert [(doc.id, doc.title, doc.text) for doc in found.documents()] == [
        ("83-3", "Spider web", "A web is spun ."),
        ("83-11", "Spider web", "one"),
    ]
    with pytest.raises(NotFound, match="nq-train"):
        judged_set(tmp_path, "train")


def test_ir_datasets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ir_datasets", None)  # type: ignore[arg-type]
    with pytest.raises(MissingExtra, match="pip install ir-datasets"):
        judged_set("ir_datasets:vaswani")
    known = SimpleNamespace(
        has_docs=lambda: True,
        has_queries=lambda: True,
        has_qrels=lambda: True,
        docs_iter=lambda: [SimpleNamespace(doc_id="d", title="T", text="body")],
        queries_iter=lambda: [SimpleNamespace(query_id="q", text="asked")],
        qrels_iter=lambda: [SimpleNamespace(query_id="q", doc_id="d", relevance=2)],
    )
    package = SimpleNamespace(load=lambda name: {"beir/scifact/test": known}[name])
    monkeypatch.setitem(sys.modules, "ir_datasets", package)  # type: ignore[arg-type]
    found = judged_set("ir_datasets:beir/scifact/test")
    assert judgements(found) == {"q": {"d": 2.0}}
    assert [(doc.title, doc.text) for doc in found.documents()] == [("T", "body")]
    with pytest.raises(NotFound, match="an id that ir_datasets knows"):
        judged_set("ir_datasets:else")
    known.has_qrels = lambda: False
    with pytest.raises(BadInput, match="has no qrels"):
        judged_set("ir_datasets:beir/scifact/test")


def test_a_folder_of_no_known_layout_is_told_what_is_known(tmp_path: Path) -> None:
    write(tmp_path / "readme.txt", "x")
    with pytest.raises(NotFound, match=r"corpus\.jsonl.*found readme\.txt"):
        judged_set(tmp_path)
    with pytest.raises(NotFound, match="found nothing"):
        judged_set(tmp_path / "gone")


def test_queries_in_both_forms(tmp_path: Path) -> None:
    write(tmp_path / "q.tsv", "7\ta\tb\n8\t\n")
    assert read_queries(tmp_path / "q.tsv").texts == ("a\tb", "")
    write(tmp_path / "q.jsonl.gz", '{"_id": 7, "text": "a"}\n')
    assert read_queries(tmp_path / "q.jsonl.gz").ids == ("7",)
    write(tmp_path / "q.tsv", "7\ta\n7\tb\n")
    with pytest.raises(BadInput, match=r"q\.tsv:2: each query id once"):
        read_queries(tmp_path / "q.tsv")
    write(tmp_path / "q.tsv", "7 a\n")
    with pytest.raises(BadInput, match="`id TAB text`"):
        read_queries(tmp_path / "q.tsv")
