"""Models that can be trained: cross-encoder, bi-encoder, late interaction, behind one protocol."""

from crossrank.train.students.batch import Batch, Student, collate

__all__ = ["Batch", "Student", "collate"]
