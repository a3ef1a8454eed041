"""Re-ranking by a cross-encoder: the stage, long documents, a score cache, adaptive depth."""

from crossrank.rerank.adaptive import AdaptiveRerank, PatienceReport, choose_patience
from crossrank.rerank.cache import CachedScorer, FileStore, MemoryStore
from crossrank.rerank.long import Passage, PassageScorer
from crossrank.rerank.stage import Rerank

__all__ = [
    "AdaptiveRerank",
    "CachedScorer",
    "FileStore",
    "MemoryStore",
    "Passage",
    "PassageScorer",
    "PatienceReport",
    "Rerank",
    "choose_patience",
]
