"""Pipelines as TOML: they survive writing and reading, and mistakes are named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrank.errors import BadInput, NotFound
from crossrank.pipelines import (
    NAMED,
    All,
    Bm25,
    Cutoff,
    Dense,
    Fusion,
    Learned,
    PipelineSpec,
    Reranker,
    dump,
    load,
    parse,
)

depths = st.integers(1, 10_000)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
searchers = st.one_of(
    st.builds(Bm25, depths, texts), st.builds(Dense, texts, depths, texts), st.builds(All)
)
fusions = st.lists(searchers, min_size=2, max_size=3).flatmap(
    lambda of: st.builds(
        Fusion,
        of=st.just(tuple(of)),
        method=st.sampled_from(["rrf", "weighted"]),
        weights=st.one_of(
            st.just(()),
            st.tuples(*[st.floats(-5, 5, allow_nan=False) for _ in of]),
        ),
        depth=depths,
        normalise=st.sampled_from([("auto",), ("z-score",), ("min-max", "none", "rank")]),
        missing=st.sampled_from(["auto", "zero"]),
        k=st.floats(0, 100),
    )
)
rerankers = st.builds(
    Reranker, texts, depths, st.just("window"), st.floats(0.01, 1, allow_nan=False)
)
specs = st.builds(
    lambda first, rest, name: PipelineSpec((first, *rest), name),
    st.one_of(searchers, fusions),
    st.lists(st.one_of(rerankers, st.builds(Cutoff, depths)), max_size=3),
    texts,
)


@given(specs.filter(lambda spec: all(_shown(stage) for stage in spec.stages)))
def test_a_pipeline_survives_writing_and_reading(spec: PipelineSpec) -> None:
    assert parse(dump(spec)) == spec


def _shown(stage: object) -> bool:
    """An empty model name is not written, so it would come back as the default."""
    inner = getattr(stage, "of", ())
    return getattr(stage, "model", "x") != "" and all(_shown(each) for each in inner)


@pytest.mark.parametrize("name", NAMED)
def test_named_pipelines_survive_too(name: str) -> None:
    assert parse(dump(NAMED[name])) == NAMED[name]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name = 3 4", "TOML wanted"),
        ("", r"\[\[stage\]\]"),
        ("stages = []", "'stages'"),
        ('[[stage]]\ntype = "bm52"', "'bm52'"),
        ('[[stage]]\ntype = "bm25"\ndeep = 3', "'deep'"),
        ('[[stage]]\ntype = "bm25"\ndepth = "3"', "depth of type int wanted, got '3'"),
        ('[[stage]]\ntype = "bm25"\ndepth = true', "depth of type int wanted, got True"),
        ('[[stage]]\ntype = "bm25"\ndepth = 10001', "from 1 to 10,000 wanted, got 10001"),
        ('[[stage]]\ntype = "rerank"', "put one before it"),
        ('[[stage]]\ntype = "fuse"\nof = [{ type = "bm25" }]', "two or more"),
        (
            '[[stage]]\ntype = "fuse"\nweights = [1]\nof = [{ type = "bm25" }, { type = "dense" }]',
            "one weight for each of 2",
        ),
    ],
)
def test_mistakes_are_named(text: str, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parse(text)


def test_a_file_is_named_in_its_error(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text('[[stage]]\ntype = "bm52"', encoding="utf-8")
    with pytest.raises(BadInput, match=r"shop\.toml.*'bm52'"):
        load(str(path))


def test_a_file_without_a_name_is_named_after_itself(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text('[[stage]]\ntype = "bm25"', encoding="utf-8")
    assert load(str(path)) == PipelineSpec((Bm25(),), "shop")


@pytest.mark.parametrize("name", ["fulll", "missing.toml"])
def test_what_is_not_there_is_said(name: str) -> None:
    with pytest.raises(NotFound, match="full"):
        load(name)


def test_a_filter_reaches_every_search_and_adds_to_the_one_there() -> None:
    spec = PipelineSpec((Fusion(of=(Bm25(where="a > 1"), Dense())), Reranker()))
    fused = spec.filtered("b = 2").stages[0]
    assert isinstance(fused, Fusion)
    assert [stage.where for stage in fused.of if not isinstance(stage, All)] == [
        "(a > 1) AND (b = 2)",
        "b = 2",
    ]
    with pytest.raises(BadInput, match="scoring everything"):
        NAMED["cross"].filtered("b = 2")


def test_encoders_are_listed_once() -> None:
    spec = PipelineSpec((Fusion(of=(Dense("a"), Fusion(of=(Dense("b"), Dense("a"))))),))
    assert spec.encoders() == ("a", "b")


THREE = """
[[stage]]
type = "fuse"
of = [{ type = "bm25" }, { type = "dense" }]
[[stage]]
type = "fuse"
method = "sum"
normalise = "z-score"
weights = [0.2, 0.3, 0.5]
of = [{ type = "bm25" }, { type = "dense" }, { type = "rerank" }]
"""


def test_a_fusion_of_three_signals_over_the_same_candidates() -> None:
    spec = parse(THREE)
    fused = spec.stages[1]
    assert isinstance(fused, Fusion)
    assert fused.normalise == ("z-score",)
    assert [type(each) for each in fused.of] == [Bm25, Dense, Reranker]
    other = spec.with_reranker("mine").stages[1]
    assert isinstance(other, Fusion)
    assert other.of[2] == Reranker("mine")
    kept = PipelineSpec((Bm25(), Reranker("own", weight=0.3))).with_reranker("mine")
    assert kept.stages[1] == Reranker("mine", weight=0.3)
    alone = PipelineSpec((Bm25(), Reranker(weight=0.3))).with_reranker("mine")
    assert alone.stages[1] == Reranker("mine", weight=1.0)  # 0.3 suited the bundled one
    same = PipelineSpec((Bm25(), Reranker(weight=0.3)))
    assert same.with_reranker(Reranker().model) == same
    with pytest.raises(BadInput, match="normalise of each of type str wanted, got 3"):
        parse(THREE.replace('"z-score"', "[3]"))


def test_of_re_rankers_in_a_row_the_last_one_is_replaced() -> None:
    sift, judge = Reranker("quick", weight=0.5), Reranker("own", depth=20)
    spec = PipelineSpec((Bm25(), sift, judge))
    assert spec.with_reranker("mine").stages == (Bm25(), sift, replace(judge, model="mine"))


def test_a_learned_fusion_names_its_model_and_its_stages() -> None:
    text = '[[stage]]\ntype = "learned"\nof = [{ type = "bm25" }, { type = "dense" }]\n'
    spec = parse(text + 'model = "models/shop"')
    assert spec.stages == (Learned((Bm25(), Dense()), "models/shop"),)
    assert parse(dump(spec)) == spec
    assert spec.encoders() == ("crossrank-embed",)
    with pytest.raises(BadInput, match="the folder of a learned fusion"):
        parse(text)


def test_a_reranker_that_reads_windows_says_so() -> None:
    text = '[[stage]]\ntype = "bm25"\n[[stage]]\ntype = "rerank"\nlong = "{}"\n'
    assert parse(text.format("window")).stages[1].long == "window"
    with pytest.raises(BadInput, match="truncate or window"):
        parse(text.format("sometimes"))
