"""Late interaction and poly-encoders: stages between a bi-encoder and a cross-encoder.

Both read one vector a token. Late interaction (ColBERT, Khattab and Zaharia, SIGIR 2020) keeps
those of documents, so that every query token can look for its best match. A poly-encoder (Humeau
et al., ICLR 2020) keeps one vector a document and looks at it through several views of the query.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from crossrank.errors import BadInput
from crossrank.types import Corpus, Encoder, Floats, Offsets, Ranking, Rows, Scale

Halves = npt.NDArray[np.float16]

_BATCH: Final = 64  # documents encoded at a time
_KEEP: Final = 256 * 2**20  # bytes of token states kept


@dataclass(frozen=True, slots=True)
class TokenStates:
    """One unit vector a token: those of text i are values[offsets[i]:offsets[i + 1]]."""

    values: Floats
    offsets: Offsets

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index: int) -> Floats:
        part: Floats = self.values[self.offsets[index] : self.offsets[index + 1]]
        return part


class TokenEncoder(Protocol):
    """Turns texts into one unit vector a token, special tokens and prompts left out."""

    def query_states(self, texts: Sequence[str]) -> TokenStates:
        """The states of queries, in their order."""
        ...

    def document_states(self, texts: Sequence[str]) -> TokenStates:
        """The states of documents, in their order."""
        ...


class StateStore:
    """Token states of documents by row, as float16; the oldest go when there is no more room."""

    def __init__(self, encoder: TokenEncoder, corpus: Corpus, keep: int = _KEEP) -> None:
        self._encoder, self._corpus, self._keep = encoder, corpus, keep
        self._states: OrderedDict[int, Halves] = OrderedDict()
        self._bytes = 0

    def states(self, rows: Rows) -> list[Halves]:
        """The states of each row, encoded now where they are not kept: float16 [tokens, d]."""
        found: dict[int, Halves] = {r: self._states[r] for r in rows.tolist() if r in self._states}
        unknown = dict.fromkeys(r for r in rows.tolist() if r not in found)
        missing = np.array(list(unknown), dtype=np.int32)
        for start in range(0, len(missing), _BATCH):
            part = missing[start : start + _BATCH]
            fresh = self._encoder.document_states(self._corpus.texts(part))
            for number, row in enumerate(part.tolist()):
                found[row] = fresh[number].astype(np.float16)
                self._put(row, found[row])
        return [found[row] for row in rows.tolist()]

    @property
    def bytes_per_document(self) -> float:
        """Mean size of the states kept, in bytes."""
        return self._bytes / max(len(self._states), 1)

    def _put(self, row: int, states: Halves) -> None:
        self._states[row] = states
        self._bytes += states.nbytes
        while self._bytes > self._keep and len(self._states) > 1:
            self._bytes -= self._states.popitem(last=False)[1].nbytes


class LateInteraction:
    """Re-ranks candidates by MaxSim: the sum over query tokens of their best cosine; a stage.

    States of documents are kept as float16 between calls, up to 256 MB.
    """

    def __init__(
        self, encoder: TokenEncoder, depth: int = 100, *, keep: int = _KEEP, name: str = "late"
    ) -> None:
        if depth < 1:
            raise BadInput(f"a depth of 1 or more wanted, got {depth}")
        self.encoder, self.depth, self.keep, self.name = encoder, depth, keep, name
        self._stores: dict[int, tuple[Corpus, StateStore]] = {}

    def __call__(self, given: Ranking, /) -> Ranking:
        """The first `depth` candidates of each query, by MaxSim."""
        cut = given.top(self.depth)
        queries = self.encoder.query_states(cut.queries.texts)
        store = self.store(cut.corpus)
        scores = [
            np.array([max_sim(queries[i], each) for each in store.states(rows)], dtype=np.float32)
            for i, (rows, _) in enumerate(cut)
        ]
        return cut.rescored(np.concatenate([np.empty(0, np.float32), *scores]), Scale.MAXSIM)

    def store(self, corpus: Corpus) -> StateStore:
        """The states kept for a corpus; those of another corpus are dropped."""
        if id(corpus) not in self._stores:
            self._stores = {id(corpus): (corpus, StateStore(self.encoder, corpus, self.keep))}
        return self._stores[id(corpus)][1]


def max_sim(query: npt.NDArray[np.floating], document: npt.NDArray[np.floating]) -> float:
    """The sum over query tokens of the largest inner product with a document token; 0 for none."""
    if not (len(query) and len(document)):
        return 0.0
    products = query.astype(np.float32) @ document.astype(np.float32).T
    return float(products.max(axis=1).sum())


class PolyEncoder:
    """Re-ranks candidates as a poly-encoder: several views of the query meet one vector each.

    `codes` [m, d] attend over the query's token states, which gives m views; the document's vector
    attends over the views, and its inner product with that mix is the score. Without codes the
    first m token states are the views (the paper's variant ii). `sharpness` multiplies the inner
    products before each softmax: the states here have unit length.
    """

    def __init__(
        self,
        tokens: TokenEncoder,
        encoder: Encoder,
        codes: Floats | int = 16,
        depth: int = 100,
        *,
        sharpness: float = 20.0,
        vectors: Callable[[Rows], Floats] | None = None,
        name: str = "poly",
    ) -> None:
        if depth < 1 or (isinstance(codes, int) and codes < 1):
            raise BadInput(f"a depth and a number of codes of 1 or more wanted, got {depth}")
        self.tokens, self.encoder, self.codes, self.depth = tokens, encoder, codes, depth
        self.sharpness, self.vectors, self.name = sharpness, vectors, name

    def __call__(self, given: Ranking, /) -> Ranking:
        """The first `depth` candidates of each query, by the poly-encoder's score."""
        cut = given.top(self.depth)
        states = self.tokens.query_states(cut.queries.texts)
        rows = np.unique(cut.docs)
        vectors = self.vectors(rows) if self.vectors else self._encode(cut.corpus, rows)
        at = np.searchsorted(rows, cut.docs)
        scores = np.empty(len(cut.docs), dtype=np.float32)
        for number in range(len(cut.queries)):
            part = slice(int(cut.indptr[number]), int(cut.indptr[number + 1]))
            scores[part] = self.score(states[number], vectors[at[part]])
        return cut.rescored(scores, Scale.DOT)

    def score(self, states: Floats, vectors: Floats) -> Floats:
        """The score of each document vector [n, d] for one query's token states [t, d]."""
        if not len(states):
            return np.zeros(len(vectors), dtype=np.float32)
        if isinstance(self.codes, int):
            views = states[: self.codes]
        else:
            views = _softmax(np.float32(self.sharpness) * (self.codes @ states.T)) @ states
        products = vectors @ views.T
        found: Floats = (_softmax(np.float32(self.sharpness) * products) * products).sum(axis=1)
        return found

    def _encode(self, corpus: Corpus, rows: Rows) -> Floats:
        parts = [
            self.encoder.encode_documents(corpus.texts(rows[start : start + _BATCH]))
            for start in range(0, len(rows), _BATCH)
        ]
        return np.concatenate([np.empty((0, self.encoder.dimension), np.float32), *parts])


def codes_from(states: Floats, count: int, rounds: int = 20) -> Floats:
    """`count` codes [count, d] that cover token states well: spherical k-means, always the same.

    Codes are meant to be learned with the encoder; these need no training and no labels.
    """
    if len(states) < count:
        raise BadInput(f"at least {count} token states wanted for {count} codes, got {len(states)}")
    random = np.random.default_rng(0)
    codes = states[random.choice(len(states), count, replace=False)]
    for _ in range(rounds):
        nearest = (states @ codes.T).argmax(axis=1)
        sums = np.zeros_like(codes)
        np.add.at(sums, nearest, states)
        full = np.bincount(nearest, minlength=count) > 0
        norms = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
        codes = np.where(full[:, None], sums / norms, codes)
    return codes.astype(np.float32)


def _softmax(values: Floats) -> Floats:
    grown = np.exp(values - values.max(axis=1, keepdims=True))
    found: Floats = grown / grown.sum(axis=1, keepdims=True)
    return found
