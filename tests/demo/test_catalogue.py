"""The demo's catalogue is whole: ids, languages, kinds, grades, and it reads as a BEIR set."""

from __future__ import annotations

from collections import Counter

import pytest

from crossrank.demo import Catalogue, read_catalogue
from crossrank.demo.catalogue import KINDS, catalogue_folder
from crossrank.demo.run import SHOWN
from crossrank.evaluate import R, evaluate
from crossrank.io.beir import read_beir
from crossrank.retrieve import MemoryBM25
from crossrank.types import MemoryCorpus, Search


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue()


def test_there_are_as_many_texts_as_promised(catalogue: Catalogue) -> None:
    languages = Counter(document.fields["language"] for document in catalogue.documents)
    assert languages == {"de": 150, "en": 61}
    assert len({document.id for document in catalogue.documents}) == 211
    assert len({document.text for document in catalogue.documents}) == 211


def test_texts_are_of_a_readable_length(catalogue: Catalogue) -> None:
    for document in catalogue.documents:
        words = len(f"{document.title} {document.text}".split())
        assert 30 <= words <= 90, (document.id, words)
        assert document.title and document.fields["maker"]


def test_products_have_a_price_and_all_numbers_are_numbers(catalogue: Catalogue) -> None:
    for document in catalogue.documents:
        fields = document.fields
        assert fields["maker"] in {*_ADVICE} or fields["price"] > 0, document.id
        assert all(isinstance(fields.get(key, 0), (int, float)) for key in ("price", "volume"))


_ADVICE = ("Ratgeber", "Lexikon", "Technikblatt", "Guide", "Glossary", "Fact sheet")


def test_every_kind_of_query_is_there_in_both_languages_together(catalogue: Catalogue) -> None:
    kinds = Counter(catalogue.kinds)
    assert set(kinds) == set(KINDS) and min(kinds.values()) >= 4
    assert Counter(catalogue.languages)["en"] >= 10
    assert len(catalogue.queries) >= 40 and set(SHOWN) <= set(catalogue.queries.ids)


def test_judged_documents_exist_and_speak_the_language_of_the_query(catalogue: Catalogue) -> None:
    languages = {document.id: document.fields["language"] for document in catalogue.documents}
    asked = dict(zip(catalogue.queries.ids, catalogue.languages, strict=True))
    crossing = [
        (query, name) for query, name in catalogue.grades() if languages[name] != asked[query]
    ]
    assert crossing == [("q16", "en005")]  # the model that goes by one name in both languages


def test_every_query_has_an_answer_and_something_it_must_not_be_mistaken_for(
    catalogue: Catalogue,
) -> None:
    for query, kind in zip(catalogue.queries.ids, catalogue.kinds, strict=True):
        grades = Counter(g for (name, _), g in catalogue.grades().items() if name == query)
        assert set(grades) <= {1, 2, 3} and grades[3] >= 1, query
        if kind in ("compound", "unit", "norm"):  # so that Recall@10 can reach 1
            assert grades[2] + grades[3] <= 10, query
        if kind in ("negation", "unit", "norm", "conditions", "sentiment"):
            assert grades[1] >= 1, query


def test_the_folder_is_a_beir_set(catalogue: Catalogue) -> None:
    dataset = read_beir(catalogue_folder())
    assert dataset.search.queries == catalogue.queries
    assert len(dataset.search.corpus) == 211


def test_the_analyser_finds_compounds_units_and_norms(catalogue: Catalogue) -> None:
    """Recall@10 of BM25 over the grades 2 and 3, with the vocabulary of the catalogue alone."""
    corpus = MemoryCorpus(
        [document.id for document in catalogue.documents],
        [f"{document.title}\n{document.text}" for document in catalogue.documents],
    )
    ranking = MemoryBM25.learned(corpus)(Search(catalogue.queries, corpus))
    recall = R(rel=2) @ 10
    values = evaluate(ranking, catalogue.qrels, [recall])
    for kind in ("compound", "unit", "norm"):
        chosen = [
            value
            for name, value in zip(values.queries, values.of(recall), strict=True)
            if catalogue.kinds[catalogue.queries.ids.index(name)] == kind
        ]
        assert sum(chosen) / len(chosen) >= 0.95, kind
