"""Teachers, their cache and their students."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest

from fakes import FakeEncoder

torch = pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

from crossrank.errors import BadInput  # noqa: E402
from crossrank.fuse.normalise import normalised  # noqa: E402
from crossrank.rerank.cache import FileStore  # noqa: E402
from crossrank.train.config import Dev, Groups, Optimiser, Watch  # noqa: E402
from crossrank.train.distil import DistilConfig, TeacherSpec, distil, load_distil  # noqa: E402
from crossrank.train.sources import Source  # noqa: E402
from crossrank.train.teachers import (  # noqa: E402
    EncoderTeacher,
    RunTeacher,
    ScorerTeacher,
    squashed,
    taught,
)
from crossrank.types import (  # noqa: E402
    Floats,
    MemoryCorpus,
    Queries,
    Ranking,
    Scale,
    Search,
)
from train.tiny import write_groups, write_model  # noqa: E402


@dataclass
class Words:
    """Knows the tiny language: the logit is 4 where both texts begin with one word, else -4."""

    name: str = "words"
    scale: Scale = Scale.LOGIT
    calls: list[int] = field(default_factory=list)

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        self.calls.append(len(queries))
        same = [q.split()[0] == d.split()[0] for q, d in zip(queries, documents, strict=True)]
        return np.where(same, 4.0, -4.0).astype(np.float32)


QUERIES = Queries(("q1", "q2"), ("rot a", "blau b"))
SEARCH = Search(QUERIES, MemoryCorpus(["d1", "d2", "d3"], ["rot x", "blau y", "kalt z"]))
CANDIDATES = Ranking.everything(SEARCH)


def test_one_teacher_is_taken_at_its_word() -> None:
    labels = taught(CANDIDATES, [ScorerTeacher(Words())])
    assert labels.scale is Scale.LOGIT
    assert labels.query(0)[1].tolist() == [4, -4, -4]
    assert labels.query(1)[0][0] == 1


def test_scores_on_disk_are_not_made_again(tmp_path: Path) -> None:
    first, second, other = Words(), Words(), Words("other words")
    store = FileStore(tmp_path / "scores.sqlite")
    before = taught(CANDIDATES, [ScorerTeacher(first, store)])
    store.close()
    again = FileStore(tmp_path / "scores.sqlite")
    after = taught(CANDIDATES, [ScorerTeacher(second, again)])
    taught(CANDIDATES, [ScorerTeacher(other, again)])
    again.close()
    assert (before.scores == after.scores).all()
    assert (first.calls, second.calls, other.calls) == ([6], [], [6])


def run(scores: dict[str, dict[str, float]]) -> Ranking:
    names = sorted({name for each in scores.values() for name in each})
    search = Search(Queries(tuple(scores), ("",) * len(scores)), MemoryCorpus(names, names))
    docs = [search.corpus.find(list(each)) for each in scores.values()]
    return Ranking.of_lists(search, docs, [list(each.values()) for each in scores.values()])


def test_a_run_teaches_by_ids_and_what_it_lacks_gets_its_lowest_score() -> None:
    made = run({"q2": {"d3": 7.0, "d2": 5.0}, "q1": {"d1": 3.0, "elsewhere": 9.0, "d2": 1.0}})
    labels = taught(CANDIDATES, [RunTeacher(made)])
    assert sorted(labels.query(0)[1].tolist()) == [1, 1, 3]
    assert labels.query(1)[1].tolist() == [7, 5, 5]
    with pytest.raises(BadInput, match="'q2'"):
        taught(CANDIDATES, [RunTeacher(run({"q1": {"d1": 1.0}}))])


def test_an_ensemble_sums_z_scores_by_weight() -> None:
    made = run({"q1": {"d1": 0.0, "d2": 10.0, "d3": 20.0}, "q2": {"d1": 1.0, "d2": 2.0, "d3": 3.0}})
    teachers = (ScorerTeacher(Words(), weight=3.0), RunTeacher(made))
    told: list[int] = []
    labels = taught(CANDIDATES, teachers, told.append)
    assert labels.scale is Scale.FUSED
    assert told[-1] == 12
    alone = [taught(CANDIDATES, [teacher]) for teacher in teachers]
    wanted = dict.fromkeys(((q, d) for q in range(2) for d in range(3)), 0.0)
    for ranking, weight in zip(alone, (3.0, 1.0), strict=True):
        places = zip(ranking.owners(), ranking.docs, normalised(ranking, "z-score"), strict=True)
        for query, doc, value in places:
            wanted[int(query), int(doc)] += weight * value
    got = zip(labels.owners(), labels.docs, labels.scores, strict=True)
    for query, doc, value in got:
        assert value == pytest.approx(wanted[int(query), int(doc)], abs=1e-5)


def test_a_bi_encoder_teaches_its_cosines() -> None:
    encoder = FakeEncoder()
    labels = taught(CANDIDATES, [EncoderTeacher(encoder)])
    assert labels.scale is Scale.COSINE
    vectors = encoder.encode_documents([*QUERIES.texts, *SEARCH.corpus.texts(np.arange(3))])
    rows, values = labels.query(1)
    assert np.allclose(values, vectors[2:][rows] @ vectors[1])


def test_labels_for_cosines() -> None:
    logits = taught(CANDIDATES, [ScorerTeacher(Words())])
    assert squashed(logits).scores.max() == pytest.approx(1 / (1 + np.exp(-4)))
    cosines = taught(CANDIDATES, [EncoderTeacher(FakeEncoder())])
    assert squashed(cosines) is cosines
    with pytest.raises(BadInput, match="margin-mse or kl"):
        squashed(taught(CANDIDATES, [ScorerTeacher(Words(scale=Scale.BM25))]))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    made = tmp_path_factory.mktemp("distil")
    write_model(made / "model")
    write_groups(made / "train.jsonl", 120, seed=3)
    write_groups(made / "dev.jsonl", 25, seed=4)
    yield made
    torch.set_num_threads(before)


def config(folder: Path, kind: str, objective: str) -> DistilConfig:
    return DistilConfig(
        model=str(folder / "model"),
        train=(Source(folder / "train.jsonl", "groups"),),
        dev=Dev(folder / "dev.jsonl", "groups"),
        output=folder / f"{kind}-{objective}",
        objective=objective,
        kind=kind,
        teacher=(TeacherSpec("words"),),
        max_length=32,
        temperature=0.5 if objective == "kl" else 1.0,
        optimiser=Optimiser(learning_rate=2e-3, batch=16, steps=20),
        groups=Groups(size=4),
        watch=Watch(log_every=5, evaluate_every=10),
    )


RANDOM = float(np.mean([1 / np.log2(rank + 1) for rank in range(1, 7)]))


@pytest.mark.parametrize(
    ("kind", "objective"),
    [
        ("bi-encoder", "mse"),
        ("bi-encoder", "margin-mse"),
        ("bi-encoder", "kl"),
        ("late-interaction", "kl"),
    ],
)
def test_a_student_learns_what_its_teacher_knows(folder: Path, kind: str, objective: str) -> None:
    result = distil(config(folder, kind, objective), [ScorerTeacher(Words())])
    losses = [entry["loss"] for entry in result.log if "loss" in entry]
    assert losses[-1] < 0.8 * losses[0]
    assert result.card["best"]["value"] > RANDOM + 0.25


class Praise(Words):
    """Likes what is praised, whatever was asked."""

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        good = [text.split()[-1] in ("gut", "fein", "toll") for text in documents]
        return np.where(good, 3.0, -3.0).astype(np.float32)


@pytest.mark.parametrize("objective", ["mse", "rank-net"])
def test_a_smaller_cross_encoder_learns_the_logits(folder: Path, objective: str) -> None:
    write_groups(folder / "praise.jsonl", 120, seed=3, match=False)
    write_groups(folder / "praise-dev.jsonl", 25, seed=4, match=False)
    changed = replace(
        config(folder, "cross-encoder", objective),
        train=(Source(folder / "praise.jsonl", "groups"),),
        dev=Dev(folder / "praise-dev.jsonl", "groups"),
        optimiser=Optimiser(learning_rate=3e-3, batch=32, steps=30),
    )
    result = distil(changed, [ScorerTeacher(Praise())])
    assert result.card["best"]["value"] > RANDOM + 0.25
    told = (result.folder / "crossrank.json").read_text(encoding="utf-8")
    assert f'"scale": "{"logit" if objective == "mse" else "raw"}"' in told


def test_configurations_name_their_teachers(tmp_path: Path) -> None:
    path = tmp_path / "d.toml"
    head = 'kind = "bi-encoder"\nmodel = "m"\noutput = "o"\n[[train]]\npath = "a.jsonl"\n'
    path.write_text(head + '[[teacher]]\nmodel = "big"\n[[teacher]]\nrun = "x.trec"\nweight = 2\n')
    read = load_distil(path)
    assert read.objective == "margin-mse"
    assert read.teacher == (TeacherSpec("big"), TeacherSpec(run=tmp_path / "x.trec", weight=2.0))
    for tail, message in (
        ("", "one or more"),
        ("[[teacher]]\n", "one of model, encoder or run"),
        ('[[teacher]]\nmodel = "m"\nweight = 0\n', r"teacher\[0\]: a weight"),
        ('[[teacher]]\nrun = "x"\n[[train]]\npath = "b"\n', "its ids are theirs"),
    ):
        path.write_text(head + tail)
        with pytest.raises(BadInput, match=message):
            load_distil(path)
