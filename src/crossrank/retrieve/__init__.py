"""First stages: BM25 and dense retrieval, over a collection or over texts in memory."""

from crossrank.retrieve.bm25 import BM25
from crossrank.retrieve.dense import Dense
from crossrank.retrieve.memory import MemoryBM25
from crossrank.retrieve.memory_dense import MemoryDense

__all__ = ["BM25", "Dense", "MemoryBM25", "MemoryDense"]
