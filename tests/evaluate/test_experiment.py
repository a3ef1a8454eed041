"""Experiments: shared beginnings run once, what is kept is not run, and nothing changes by it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from crossrank import Search
from crossrank.cli.app import app
from crossrank.errors import BadInput, NotFound
from crossrank.evaluate import evaluate, nDCG
from crossrank.evaluate.compare import Settings
from crossrank.evaluate.curve import budgets, cost_curve
from crossrank.evaluate.experiment import Experiment, SetSpec, read_experiment
from crossrank.evaluate.kept import Kept, RankingStore
from crossrank.evaluate.results import run_set
from crossrank.evaluate.shared import SharedRun, count_stages
from crossrank.evaluate.signals import signals_of_pipeline
from crossrank.fuse import fuse
from crossrank.io.document import Document
from crossrank.io.judged import JudgedSet, judged_set
from crossrank.pipelines import Bm25, Cutoff, Fusion, PipelineSpec, Reranker, load
from crossrank.pipelines.build import Models, build
from crossrank.store import Collection
from crossrank.types import Floats
from fakes import FakeEncoder, FakeScorer

WORDS = ["Kühlschrank", "Labor", "Gefrierfach", "Herd", "Spüle", "Mixer", "Ofen"]
QUERIES, BLOCKS, SIZE = 7, 2, 4
FAST = Settings(samples=100, resamples=50)
HALF = Bm25(depth=20)
SPECS = (
    PipelineSpec((HALF,), "bm25"),
    PipelineSpec((HALF, Reranker("fake", 10)), "rerank"),
    PipelineSpec((HALF, Reranker("fake", 10), Cutoff(3)), "short"),
    PipelineSpec((Fusion((HALF, Bm25(depth=5))), Reranker("fake", 5)), "full"),
)


class Counting(FakeScorer):
    """Counts the pairs it scores, and can be told to fail after some."""

    def __init__(self) -> None:
        self.pairs, self.most = 0, 10**9

    def score_texts(self, queries: Sequence[str], documents: Sequence[str]) -> Floats:
        if self.pairs + len(queries) > self.most:
            raise KeyboardInterrupt
        self.pairs += len(queries)
        return super().score_texts(queries, documents)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small judged set in BEIR layout: 40 documents, queries for two blocks."""
    made = tmp_path_factory.mktemp("experiment") / "shop"
    (made / "qrels").mkdir(parents=True)
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 3)) for _ in range(40)]
    (made / "corpus.jsonl").write_text(
        "".join(json.dumps({"_id": f"d{i}", "text": t}) + "\n" for i, t in enumerate(texts))
    )
    asked = [" ".join(rng.choice(WORDS, 2)) for _ in range(QUERIES)]
    (made / "queries.jsonl").write_text(
        "".join(json.dumps({"_id": f"q{i}", "text": t}) + "\n" for i, t in enumerate(asked))
    )
    rows = [f"q{i}\td{d}\t1\n" for i in range(QUERIES) for d in rng.permutation(40)[:2]]
    (made / "qrels/test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(rows))
    return made


@pytest.fixture(scope="module")
def judged(folder: Path) -> JudgedSet:
    return judged_set(folder)


@pytest.fixture(scope="module")
def collection(judged: JudgedSet, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    made = Collection.create(tmp_path_factory.mktemp("collection") / "c", language="de")
    made.add(judged.documents())
    return made


@pytest.fixture
def scorer() -> Counting:
    return Counting()


@pytest.fixture
def models(scorer: Counting) -> Models:
    return Models(scorer=lambda name: scorer, encoder=lambda name: FakeEncoder())


Shared = Callable[[], SharedRun]


@pytest.fixture
def shared(
    judged: JudgedSet, collection: Collection, models: Models, tmp_path: Path
) -> Iterator[Shared]:
    search = Search(judged.queries, collection.corpus())
    store = RankingStore(tmp_path / "kept")
    yield lambda: SharedRun(collection, search, store, models=models, block=SIZE)


def test_every_trace_equals_that_of_the_pipeline_alone(
    shared: Shared, collection: Collection, judged: JudgedSet, models: Models
) -> None:
    run = shared()
    search = Search(judged.queries, collection.corpus())
    for spec in SPECS:
        ours, plain = run.trace(spec), build(spec, collection, models).trace(search)
        assert len(ours.steps) == len(plain.steps)
        for a, b in zip(ours.steps, plain.steps, strict=True):
            assert a.ranking.queries == b.ranking.queries
            assert a.ranking.docs.tolist() == b.ranking.docs.tolist()
            np.testing.assert_allclose(a.ranking.scores, b.ranking.scores, rtol=1e-6)
            assert a.ranking.scale == b.ranking.scale


def test_a_shared_beginning_runs_once(shared: Shared, scorer: Counting) -> None:
    run = shared()
    one = run.trace(SPECS[1])
    pairs, blocks = scorer.pairs, run.runs
    assert pairs == len(one.ranking.docs)
    run.trace(SPECS[0])
    assert run.runs == blocks  # the retriever was known
    run.trace(SPECS[2])
    assert scorer.pairs == pairs  # only the cut was new
    assert run.runs == blocks + BLOCKS
    run.trace(SPECS[3])
    assert run.runs == blocks + 4 * BLOCKS  # the second retriever, the fusion, its re-ranking


def test_what_is_kept_needs_no_model_and_keeps_its_time(shared: Shared, scorer: Counting) -> None:
    first = shared().trace(SPECS[3])
    pairs = scorer.pairs
    again = shared()
    second = again.trace(SPECS[3])
    assert (again.runs, scorer.pairs) == (0, pairs)
    assert second.seconds == first.seconds
    assert second.ranking.docs.tolist() == first.ranking.docs.tolist()
    assert second.ranking.scores.tolist() == first.ranking.scores.tolist()


def test_an_interrupted_run_goes_on_where_it_was(shared: Shared, scorer: Counting) -> None:
    scorer.most = 45  # enough for the first block only
    with pytest.raises(KeyboardInterrupt):
        shared().trace(SPECS[1])
    done, scorer.most = scorer.pairs, 10**9
    assert done > 0
    again = shared()
    trace = again.trace(SPECS[1])
    assert scorer.pairs == len(trace.ranking.docs)
    assert again.runs < 2 * BLOCKS


def test_a_damaged_file_counts_as_none(shared: Shared, tmp_path: Path) -> None:
    first = shared().trace(SPECS[0])
    for path in (tmp_path / "kept").rglob("*.npz"):
        path.write_bytes(path.read_bytes()[:50])
    again = shared()
    assert again.trace(SPECS[0]).ranking.docs.tolist() == first.ranking.docs.tolist()
    assert again.runs == BLOCKS


def test_a_changed_collection_is_run_anew(
    judged: JudgedSet, models: Models, tmp_path: Path
) -> None:
    made = Collection.create(tmp_path / "c", language="de")
    made.add(judged.documents())
    store = RankingStore(tmp_path / "kept")
    for _ in range(2):
        run = SharedRun(
            made, Search(judged.queries, made.corpus()), store, models=models, block=SIZE
        )
        run.trace(SPECS[0])
        assert run.runs == BLOCKS
        made.add([Document("new", "Kühlschrank Kühlschrank")])


def test_stages_are_counted_as_they_run(shared: Shared) -> None:
    assert count_stages(SPECS) == 6
    run = shared()
    for spec in SPECS:
        run.trace(spec)
    assert run.runs == 6 * BLOCKS


def test_a_set_is_measured_stage_by_stage_and_compared(
    collection: Collection, judged: JudgedSet, models: Models, tmp_path: Path
) -> None:
    told: list[int] = []
    wanted = Experiment("e", SPECS, (SetSpec("x"),), (nDCG @ 10,), "rerank")
    found = run_set(wanted, judged, collection, RankingStore(tmp_path), settings=FAST,
                    done=told.append, models=models)  # fmt: skip
    assert told[-1] == 6 * QUERIES
    assert [stage.name for stage in found.stages["full"]] == ["bm25", "bm25", "fuse rrf", "rerank"]
    assert {pair.against for pair in found.comparison.pairs} == {"rerank"}
    plain = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert plain["set"] == "shop/test"
    assert plain["ms_per_query"]["rerank"] >= plain["ms_per_query"]["bm25"]


def test_signals_are_what_the_inner_stages_of_the_last_fusion_give(
    collection: Collection, judged: JudgedSet, models: Models
) -> None:
    spec = PipelineSpec((HALF, Fusion((Bm25(), Reranker("fake", 5)))), "three")
    search = Search(judged.queries, collection.corpus())
    found = signals_of_pipeline(spec, collection, search, models=models)
    assert list(found.rankings) == ["bm25", "rerank"]
    whole = build(spec, collection, models)(search)
    fused = fuse(list(found.rankings.values())).top(100)
    assert whole.docs.tolist() == fused.docs.tolist()
    assert found.fields is not None
    assert len(found.fields(whole.docs[:3])) == 3
    with pytest.raises(BadInput, match="ends with a fusion"):
        signals_of_pipeline(SPECS[1], collection, search)


@pytest.mark.parametrize("weight", [1.0, 0.4])
def test_depth_curves_equal_re_ranking_to_that_depth(
    collection: Collection, judged: JudgedSet, models: Models, weight: float
) -> None:
    search = Search(judged.queries, collection.corpus())
    spec = PipelineSpec((Bm25(depth=30), Reranker("fake", 30, weight=weight)), "deep")
    found = cost_curve(spec, collection, search, judged.qrels, nDCG @ 3, [0, 3, 8, 30],
                       models=models)  # fmt: skip
    assert [point.depth for point in found.points] == [0, 3, 8, 30]
    for point in found.points[1:]:
        last = Reranker("fake", int(point.depth), weight=weight)
        cut = PipelineSpec((Bm25(depth=30), last), "cut")
        plain = evaluate(build(cut, collection, models)(search), judged.qrels, [nDCG @ 3])
        assert point.value == pytest.approx(plain.mean(nDCG @ 3))
    first = evaluate(build(SPECS[0], collection, models)(search), judged.qrels, [nDCG @ 3])
    assert found.points[0].value == pytest.approx(first.mean(nDCG @ 3))
    times = [point.milliseconds for point in found.points]
    assert times == sorted(times)


def test_a_budget_that_allows_all_is_the_whole_depth_and_none_is_no_re_ranking(
    collection: Collection, judged: JudgedSet, models: Models
) -> None:
    search = Search(judged.queries, collection.corpus())
    spec = PipelineSpec((Bm25(depth=30), Reranker("fake", 30)), "deep")
    found = cost_curve(spec, collection, search, judged.qrels, nDCG @ 3, [0, 30], models=models)
    none, every = budgets(found, [0.0, 1e9])
    assert none.value == pytest.approx(found.points[0].value)
    assert every.value == pytest.approx(found.points[1].value)
    assert (none.depth, every.depth) == (0.0, pytest.approx(found.run.depths.mean()))
    with pytest.raises(BadInput, match="ends with a cross-encoder"):
        cost_curve(SPECS[0], collection, search, judged.qrels, nDCG @ 3, [1], models=models)


TOML = """
measures = "nDCG@10"
pipelines = ["bm25", "mine.toml"]
baseline = "bm25"
[[set]]
source = "shop"
language = "de"
"""
MINE = """
[[stage]]
type = "bm25"
[[stage]]
type = "cut"
depth = 3
"""


@pytest.fixture
def written(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CROSSRANK_CACHE", str(tmp_path / "cache"))
    (tmp_path / "shop").symlink_to(folder)
    (tmp_path / "mine.toml").write_text(MINE)
    (tmp_path / "e.toml").write_text(TOML)
    return tmp_path / "e.toml"


def test_the_command_makes_one_report_and_the_second_time_nothing_is_run(written: Path) -> None:
    report, runs = written.parent / "r.html", written.parent / "runs"
    options = ["--samples", "100", "--html", str(report), "--runs", str(runs), "--json"]
    done = CliRunner().invoke(app, ["experiment", str(written), *options])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["experiment"] == "e"
    assert found["sets"][0]["computed_blocks"] == 2
    assert set(found["sets"][0]["pipelines"]) == {"bm25", "mine"}
    assert sorted(p.name for p in (runs / "shop-test").iterdir()) == ["bm25.trec", "mine.trec"]
    assert report.read_text().count("<svg") == 2
    again = CliRunner().invoke(app, ["experiment", str(written), "--samples", "100", "--markdown"])
    assert "0 blocks of queries computed" in again.stderr
    assert "| mine | cut |" in again.stdout


def test_the_curve_command(written: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossrank.models.CrossEncoder", lambda name: FakeScorer())
    report = written.parent / "c.html"
    options = [
        "--model",
        "fake-of-the-curve",
        "--depth",
        "20",
        "--language",
        "de",
        "--html",
        str(report),
        "--json",
    ]
    done = CliRunner().invoke(app, ["curve", str(folder), *options])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert [p["depth"] for p in found["curves"]["rerank"]["depths"]] == [0, 1, 2, 5, 10, 20]
    assert found["curves"]["rerank"]["budgets"]
    assert report.read_text().count("<svg") == 2


TWO = """
[[stage]]
type = "bm25"
[[stage]]
type = "fuse"
of = [{ type = "bm25" }, { type = "rerank", model = "fake-of-tuning" }]
"""


def test_a_pipeline_is_tuned_on_a_judged_set_and_runs_as_written(
    written: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossrank.models.CrossEncoder", lambda name: FakeScorer())
    here = written.parent
    (here / "two.toml").write_text(TWO)
    arguments = ["tune", "--dataset", str(folder), "--split", "test", "-p", str(here / "two.toml")]
    options = ["--weight-step", "0.5", "--folds", "2", "--language", "de", "--json",
               "-o", str(here / "tuned.toml"), "--learned", str(here / "ltr")]  # fmt: skip
    done = CliRunner().invoke(app, [*arguments, *options])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["signals"] == ["bm25", "rerank"]
    tuned = load(str(here / "tuned.toml")).stages[1]
    assert isinstance(tuned, Fusion)
    assert tuned.weights == tuple(found["setting"]["weights"])
    ran = CliRunner().invoke(
        app, ["evaluate", str(folder), "-p", str(here / "tuned.toml"), "-p",
              str(here / "ltr/pipeline.toml"), "--language", "de", "--json"]
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    stages = json.loads(ran.stdout)["pipelines"]
    assert [stage["stage"] for stage in stages["two-tuned"]][-1].startswith("fuse")
    assert [stage["stage"] for stage in stages["two-learned"]][-1] == "learned"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("baseline", "basis"), "an experiment knows baseline.*got basis"),
        (('"bm25", "mine.toml"', '"bm25", "bm25"'), "pipelines of different names"),
        (('baseline = "bm25"', 'baseline = "dense"'), "a baseline among bm25, mine"),
        (("[[set]]", "[set]"), r"one or more \[\[set\]\]"),
        (("source", "folder"), r"a \[\[set\]\] with a source"),
        (('language = "de"', "language = 3"), "language as a string"),
        (('pipelines = ["bm25", "mine.toml"]', "pipelines = []"), "pipelines = "),
        (("measures", "measures = ="), "TOML wanted"),
    ],
)
def test_mistakes_are_named(written: Path, change: tuple[str, str], message: str) -> None:
    written.write_text(TOML.replace(*change, 1))
    with pytest.raises(BadInput, match=message):
        read_experiment(written)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="experiment as a"):
        read_experiment(tmp_path / "e.toml")


def test_a_kept_ranking_comes_back_whole(judged: JudgedSet, tmp_path: Path) -> None:
    store, search = RankingStore(tmp_path), judged.qrels
    store.put("abc", Kept(judged.qrels, 1.5))
    found = store.get("abc", search)
    assert found is not None
    assert found.ranking.docs.tolist() == judged.qrels.docs.tolist()
    assert (found.seconds, found.ranking.scale) == (1.5, judged.qrels.scale)
    assert store.get("abd", search) is None
