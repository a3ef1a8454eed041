"""The collection: documents, full text, vectors and metadata in one Lance store on disk."""

from crossrank.store.collection import Collection
from crossrank.store.info import FieldInfo, Info, VectorInfo
from crossrank.store.snapshot import Snapshot
from crossrank.store.write import Added

__all__ = ["Added", "Collection", "FieldInfo", "Info", "Snapshot", "VectorInfo"]
