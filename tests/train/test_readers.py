"""Labelled files in all their forms, and what is said about the rows that cannot be used."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from crossrank.errors import BadInput, NotFound
from crossrank.io.problems import BROKEN_LINE, Problems
from crossrank.train.config import Dev
from crossrank.train.judged import MISSING, file_labels, set_labels, triple_labels, with_run
from crossrank.train.labelled import CONFLICT, REPEATED, merged, rescaled
from crossrank.train.names import Columns
from crossrank.train.readers import read_groups, read_pairs, read_triples
from crossrank.train.sources import Source, read_source
from crossrank.types import Ranking, Scale

Judged = dict[tuple[str, str], float]


def labels(data: Ranking) -> Judged:
    """(query text, document text) -> label."""
    assert data.scale is Scale.GRADE
    return {
        (text, document): float(label)
        for text, (rows, values) in zip(data.queries.texts, data, strict=True)
        for document, label in zip(data.corpus.texts(rows), values, strict=True)
    }


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_pairs_with_binary_graded_and_continuous_labels(tmp_path: Path) -> None:
    rows = [
        '{"query": "Kühlschrank 280 l", "passage": "LABO-288, 280 Liter", "label": 1}',
        '{"query": "Kühlschrank 280 l", "passage": "Gefrierschrank", "label": 0}',
        '{"query": "ruhig", "passage": "sehr leise", "label": 2.5}',
    ]
    packed = tmp_path / "pairs.jsonl.gz"
    packed.write_bytes(gzip.compress("\n".join(rows).encode()))
    data = read_pairs(packed, Problems(strict=True))
    assert labels(data) == {
        ("Kühlschrank 280 l", "LABO-288, 280 Liter"): 1,
        ("Kühlschrank 280 l", "Gefrierschrank"): 0,
        ("ruhig", "sehr leise"): 2.5,
    }
    assert len(data.queries) == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sts.csv", 'sentence1,sentence2,score\n"Ein Mann, ein Hut",Ein Mann tanzt,3.8\n'),
        ("sts.tsv", "sentence1\tsentence2\tscore\nEin Mann, ein Hut\tEin Mann tanzt\t3.8\n"),
        (
            "sts.jsonl",
            '{"text_a":"Ein Mann, ein Hut","text_b":"Ein Mann tanzt","score":3.8}\n',
        ),
    ],
)
def test_sentence_pairs_in_all_formats(tmp_path: Path, name: str, text: str) -> None:
    data = read_pairs(written(tmp_path / name, text), Problems(strict=True))
    assert labels(data) == {("Ein Mann, ein Hut", "Ein Mann tanzt"): pytest.approx(3.8)}


def test_inference_labels_by_name(tmp_path: Path) -> None:
    text = "premise\thypothesis\tgold_label\na\tb\tentailment\na\tc\tcontradiction\na\td\t-\n"
    problems = Problems()
    data = read_pairs(written(tmp_path / "nli.tsv", text), problems)
    assert labels(data) == {("a", "b"): 2, ("a", "c"): 0}
    assert "nli.tsv:4" in str(problems.first[0])
    own = read_pairs(
        written(tmp_path / "own.csv", "query,text,label\nx,y,gut\n"),
        Problems(strict=True),
        Columns(classes=("schlecht", "gut")),
    )
    assert labels(own) == {("x", "y"): 1}


def test_pairs_without_labels_are_positives(tmp_path: Path) -> None:
    path = written(tmp_path / "p.jsonl", '{"query": "list files", "passage": "ls"}\n')
    assert labels(read_pairs(path, Problems(strict=True))) == {("list files", "ls"): 1}


def test_a_file_without_a_header(tmp_path: Path) -> None:
    path = written(tmp_path / "p.tsv", "1\ta question\tan answer\n")
    columns = Columns(
        listed=("y", "q", "a"), query="q", document="a", label="y", query_id="", document_id=""
    )
    assert labels(read_pairs(path, Problems(), columns)) == {("a question", "an answer"): 1}


def test_bad_rows_are_reported_with_file_and_line_and_the_rest_is_read(tmp_path: Path) -> None:
    rows = [
        '{"query": "a", "document": "b", "label": 1}',
        "not json",
        '{"query": "a", "document": "c", "label": "viel"}',
        '{"query": "", "document": "c", "label": 1}',
        '{"query": "a", "document": "b", "label": 1}',
        '{"query": "a", "document": "b", "label": 0}',
        '{"query": "a", "document": "d", "label": 1e999}',
        '{"query": "a", "document": "e", "label": true}',
    ]
    problems = Problems()
    data = read_pairs(written(tmp_path / "x.jsonl", "\n".join(rows)), problems)
    assert labels(data) == {("a", "b"): 1, ("a", "e"): 1}
    assert problems.counts == {BROKEN_LINE: 4, REPEATED: 1, CONFLICT: 1}
    places = sorted(problem.source.rpartition(":")[2] for problem in problems.first)
    assert places == ["2", "3", "4", "5", "6", "7"]
    with pytest.raises(BadInput, match=r"x\.jsonl:2"):
        read_pairs(tmp_path / "x.jsonl", Problems(strict=True))


def test_columns_that_are_not_there_are_named(tmp_path: Path) -> None:
    path = written(tmp_path / "x.csv", "frage,antwort\na,b\n")
    with pytest.raises(BadInput, match="frage, antwort"):
        read_pairs(path, Problems())
    found = read_pairs(path, Problems(), Columns(query="frage", document="antwort"))
    assert labels(found) == {("a", "b"): 1}
    with pytest.raises(NotFound):
        read_pairs(tmp_path / "none.csv", Problems())


def test_ms_marco_triples_have_no_header(tmp_path: Path) -> None:
    text = "what is a fridge\tA fridge cools.\tA car drives.\n"
    text += "what is a fridge\tA fridge cools.\tA dog barks.\n"
    data = read_triples(written(tmp_path / "triples.tsv", text), Problems(strict=True))
    assert labels(data) == {
        ("what is a fridge", "A fridge cools."): 1,
        ("what is a fridge", "A car drives."): 0,
        ("what is a fridge", "A dog barks."): 0,
    }


def test_triples_with_margins_keep_every_margin(tmp_path: Path) -> None:
    rows = [
        '{"query": "q", "positive": "p", "negative": "n", "margin": 4.0}',
        '{"query": "q", "positive": "p", "negative": "m", "margin": -1.5}',
    ]
    found = labels(read_triples(written(tmp_path / "t.jsonl", "\n".join(rows)), Problems()))
    assert found["q", "p"] - found["q", "n"] == 4.0
    assert found["q", "p"] - found["q", "m"] == -1.5


def test_groups_in_three_forms(tmp_path: Path) -> None:
    rows = [
        '{"query": "a", "documents": [{"id": "7", "text": "x", "label": 2}]}',
        '{"query": "b", "documents": ["x", "y"], "labels": [0, 3]}',
        '{"query": "c", "positives": ["z"], "negatives": ["x"]}',
        '{"query": "d", "documents": ["x", "y"], "labels": [0]}',
    ]
    problems = Problems()
    data = read_groups(written(tmp_path / "g.jsonl", "\n".join(rows)), problems)
    assert labels(data) == {
        ("a", "x"): 2,
        ("b", "x"): 0,
        ("b", "y"): 3,
        ("c", "z"): 1,
        ("c", "x"): 0,
    }
    assert [p.source.rpartition(":")[2] for p in problems.first] == ["4"]


def beir(folder: Path) -> Path:
    written(
        folder / "corpus.jsonl",
        '{"_id":"d1","title":"T","text":"eins"}\n{"_id":"d2","text":"zwei"}\n',
    )
    written(folder / "queries.jsonl", '{"_id":"q1","text":"frage"}\n')
    qrels = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq1\tgone\t1\n"
    written(folder / "qrels" / "train.tsv", qrels)
    return folder


def test_beir_judgements_get_their_texts(tmp_path: Path) -> None:
    problems = Problems()
    data = set_labels(beir(tmp_path), "train", problems)
    assert labels(data) == {("frage", "T\neins"): 2, ("frage", "zwei"): 0}
    assert data.queries.ids == ("q1",)
    assert problems.counts == {MISSING: 1}


def test_trec_qrels_and_ms_marco_id_files(tmp_path: Path) -> None:
    queries = written(tmp_path / "queries.tsv", "11\twhat\n12\twhy\n")
    corpus = written(tmp_path / "collection.tsv", "0\tzero\n1\tone\n2\ttwo\n")
    qrels = written(tmp_path / "qrels.txt", "11 0 1 3\n11 0 2 0\n")
    assert labels(file_labels(qrels, queries, corpus, Problems(strict=True))) == {
        ("what", "one"): 3,
        ("what", "two"): 0,
    }
    triples = written(tmp_path / "qidpidtriples.tsv", "12\t0\t1\n12\t0\t2\n")
    assert labels(triple_labels(triples, queries, corpus, Problems(strict=True))) == {
        ("why", "zero"): 1,
        ("why", "one"): 0,
        ("why", "two"): 0,
    }
    with pytest.raises(BadInput, match=r"bad\.tsv:1"):
        triple_labels(written(tmp_path / "bad.tsv", "1 2\n"), queries, corpus, Problems())
    other = written(tmp_path / "other.tsv", "99\tx\n")
    with pytest.raises(NotFound, match="belong together"):
        file_labels(qrels, other, corpus, Problems())


def test_a_run_names_the_candidates_of_a_dev_set(tmp_path: Path) -> None:
    beir(tmp_path)
    run = written(tmp_path / "run.trec", "q1 Q0 d2 1 9 x\nq1 Q0 d1 2 8 x\nq9 Q0 d1 1 1 x\n")
    dev = Dev(tmp_path, "beir", split="train", run=run)
    judged, candidates = with_run(dev, run, 1, Problems())
    assert labels(judged) == {("frage", "T\neins"): 2, ("frage", "zwei"): 0}
    assert candidates.queries.ids == ("q1",)
    assert candidates.corpus.ids(candidates.docs) == ["d2"]


def test_a_source_maps_cuts_and_limits_labels(tmp_path: Path) -> None:
    text = "query,text,label\na,x,0\na,y,4\nb,x,2\nc,z,1\n"
    path = written(tmp_path / "s.csv", text)
    scaled = read_source(Source(path, range=(0.0, 4.0)), Problems())
    assert labels(scaled) == {("a", "x"): 0, ("a", "y"): 1, ("b", "x"): 0.5, ("c", "z"): 0.25}
    binary = read_source(Source(path, above=2.0, limit=2), Problems())
    assert labels(binary) == {("a", "x"): 0, ("a", "y"): 1, ("b", "x"): 1}
    with pytest.raises(BadInput, match="at least one labelled pair"):
        read_source(Source(written(tmp_path / "e.csv", "query,text,label\n")), Problems())


def test_sets_are_merged_and_rescaled(tmp_path: Path) -> None:
    first = read_pairs(written(tmp_path / "a.csv", "query,text,label\na,b,0\n"), Problems())
    second = read_pairs(written(tmp_path / "b.csv", "query,text,label\na,c,5\na,d,2\n"), Problems())
    both = merged([first, second])
    assert labels(both) == {("a", "b"): 0, ("a", "c"): 5, ("a", "d"): 2}
    assert len(both.queries) == 2
    assert np.allclose(sorted(rescaled(both, 0, 5).scores), [0, 0.4, 1])
    with pytest.raises(BadInput, match="1 outside"):
        rescaled(both, 0, 4)
