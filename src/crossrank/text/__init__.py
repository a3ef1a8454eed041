"""Text analysis for German and English: index terms, sentences, snippets."""

from crossrank.text.analyzer import Analyzer, Token
from crossrank.text.vocabulary import Vocabulary, VocabularyBuilder

__all__ = ["Analyzer", "Token", "Vocabulary", "VocabularyBuilder"]
