"""Documents go in as they are: once, updated by id, complete, in flat memory, with a report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossrank.errors import BadInput, NotFound
from crossrank.io.document import Document
from crossrank.io.problems import DUPLICATE_ID, FIELD, Problems
from crossrank.store import Collection, ingest
from store.making import collection, document


def _all(made: Collection) -> dict[str, Document]:
    snapshot = made.corpus()
    return {each.id: each for each in snapshot.documents(snapshot.rows())}


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    given_fields = {"price": 3.5, "tags": ["a", "b"], "made": 2020, "ok": True, "deep": {"x": [1]}}
    first = Document("ä'1", "Text\nzweite Zeile", "", given_fields, "file:1")
    second = Document('b"\\2;--', "", "nur ein Titel", {})
    made = Collection.create(tmp_path / "c")
    report = made.add([first, second])
    assert (report.read, report.added, report.updated, report.unchanged) == (2, 2, 0, 0)
    found = _all(made)
    assert found[first.id] == Document(first.id, first.text, "", given_fields)
    assert found[second.id] == second
    snapshot = made.corpus()
    rows = snapshot.find([second.id, "nobody", first.id, second.id])
    assert rows[1] == -1 and rows[0] == rows[3]
    assert snapshot.ids(rows[[2, 0, 3]]) == [first.id, second.id, second.id]
    assert snapshot.texts(rows[[0, 2]]) == ["nur ein Titel", "Text\nzweite Zeile"]
    assert made.delete([second.id]) == 1 and len(made) == 1


def test_the_same_ids_again_update(tmp_path: Path) -> None:
    made = collection(tmp_path, 20)
    again = [document(3), document(4, "neuer Text"), document(5, colour="rot"), document(20)]
    report = made.add(again)
    assert (report.read, report.added, report.updated, report.unchanged) == (4, 1, 2, 1)
    found = _all(made)
    assert len(found) == 21
    assert found["d4"].text == "neuer Text" and found["d5"].fields["colour"] == "rot"
    assert found["d3"].fields == {"n": 3}
    # the index on ids has not seen these yet
    report = made.add([document(20, "a"), document(4, "b"), document(21)])
    assert (report.added, report.updated, len(made)) == (1, 2, 22)
    assert made.corpus().texts(made.corpus().find(["d20", "d4"])) == ["Titel 20\na", "Titel 4\nb"]


def test_an_id_twice_in_one_run_is_reported(tmp_path: Path) -> None:
    made = collection(tmp_path, 3)
    problems = Problems()
    twice = [document(1, "eins"), document(9), document(1, "zwei"), document(9)]
    report = made.add(twice, problems=problems)
    assert (report.added, report.updated) == (1, 1)
    assert problems.counts[DUPLICATE_ID] == 2 and _all(made)["d1"].text == "eins"
    with pytest.raises(BadInput, match="read before"):
        made.add(twice, problems=Problems(strict=True))


def test_a_stop_in_the_middle_keeps_batches_and_a_second_run_completes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "BATCH_DOCUMENTS", 10)
    made = collection(tmp_path)

    def broken() -> Iterator[Document]:
        yield from (document(i) for i in range(35))
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="gone"):
        made.add(broken())
    assert 10 <= len(made) <= 30  # whole batches, the first of them at the least
    report = made.add(document(i) for i in range(50))
    assert report.unchanged + report.added == 50 and report.unchanged >= 10
    assert len(made) == 50
    snapshot = made.corpus()
    assert len(snapshot.search_terms([snapshot.analyzer.query("Nummer")], 100)[0][0]) == 50


def test_reading_runs_only_a_few_batches_ahead_of_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "BATCH_DOCUMENTS", 10)
    made = collection(tmp_path, 5)  # has learned: terms are made on the way
    ahead: list[int] = []
    written = 0

    def done(count: int) -> None:
        nonlocal written
        written = count

    def watched() -> Iterator[Document]:
        for i in range(300):
            ahead.append(i - written)
            yield document(i)

    made.add(watched(), done=done)
    assert written == 300 and max(ahead) <= 50


def test_metadata_of_mixed_types_is_kept_and_reported(tmp_path: Path) -> None:
    made = Collection.create(tmp_path / "c")
    values: list[Any] = [1, 2, 3, 4, 5, 6, 7, 8, 9, "zehn"]
    problems = Problems()
    rows = [document(i, price=value, **{"a.b": i}) for i, value in enumerate(values)]
    made.add(rows, problems=problems)
    assert problems.counts[FIELD] == 2  # the word, and once the name no column can have
    assert [_all(made)[f"d{i}"].fields["price"] for i in range(10)] == values
    assert _all(made)["d4"].fields["a.b"] == 4
    snapshot = made.corpus()
    query = snapshot.analyzer.query("Nummer")
    assert len(snapshot.search_terms([query], 99, "price >= 5")[0][0]) == 5


def test_the_vocabulary_comes_from_the_collection_and_grows_with_it(tmp_path: Path) -> None:
    made = Collection.create(tmp_path / "c", "de")
    made.add([document(i, "Ein Kühlschrank und Medikamente im Kühlschrank") for i in range(4)])
    long = made.add([document(4, "Der Medikamentenkühlschrank ist neu")])
    assert long.relearned
    snapshot = made.corpus()

    def ids(query: str) -> set[str]:
        [(rows, _)] = snapshot.search_terms([snapshot.analyzer.query(query)], 10)
        return set(snapshot.ids(rows))

    assert ids("Medikamentenkühlschrank") == {f"d{i}" for i in range(5)}
    assert "d4" in ids("Kühlschränke")
    info = made.info()
    assert (info.learned_from, info.generation, info.language) == (5, 3, "de")
    assert not made.add([document(4, "Der Medikamentenkühlschrank ist alt")]).relearned


def test_names_that_differ_in_case_alone_are_one_column(tmp_path: Path) -> None:
    made = Collection.create(tmp_path / "c")
    problems = Problems()
    made.add([document(0, Price=1, price="x"), document(1, PRICE=2)], problems=problems)
    assert problems.counts[FIELD] == 2
    assert _all(made)["d0"].fields == {"n": 0, "Price": 1, "price": "x"}
    assert list(made.corpus().fields) == ["n", "Price"]
    assert made.delete_where("price >= 1") == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=5,
)
fields = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=4), json_values)


@settings(max_examples=12)
@given(st.lists(fields, max_size=4))
@example([{"*": [], "a*": 1}])
def test_any_metadata_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    made = Collection.create(tmp_path_factory.mktemp("any") / "c")
    given_rows = [{k: v for k, v in row.items() if v is not None} for row in rows]
    made.add(Document(f"d{i}", "x", fields=row) for i, row in enumerate(given_rows))
    assert [_all(made)[f"d{i}"].fields for i in range(len(rows))] == given_rows


def test_an_empty_collection_answers(tmp_path: Path) -> None:
    made = Collection.create(tmp_path / "c")
    snapshot = made.corpus()
    assert len(snapshot) == 0 and snapshot.find(["x"]).tolist() == [-1]
    assert len(snapshot.search_terms([["wort"]], 5)[0][0]) == 0
    assert snapshot.texts(snapshot.rows()) == [] and made.delete(["x"]) == 0
    assert made.add([]).read == 0
    made.optimise()


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="crossrank index"):
        Collection.open(tmp_path / "none")
    (tmp_path / "file").write_text("x")
    for taken in (tmp_path, tmp_path / "file"):
        with pytest.raises(BadInput, match="folder wanted"):
            Collection.create(taken)
    with pytest.raises(BadInput, match="auto, de or en"):
        Collection.create(tmp_path / "c", "fr")
    made = Collection.create(tmp_path / "c")
    with pytest.raises(BadInput, match="is one already"):
        Collection.create(made.path)
