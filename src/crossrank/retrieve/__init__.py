"""First stages: BM25 and dense retrieval, over a collection or over texts in memory."""

from crossrank.retrieve.memory import MemoryBM25

__all__ = ["MemoryBM25"]
