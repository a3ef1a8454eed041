"""The demo: a small judged catalogue, and every stage run on it side by side."""

from crossrank.demo.catalogue import Catalogue, read_catalogue
from crossrank.demo.run import Report, Stage, run

__all__ = ["Catalogue", "Report", "Stage", "read_catalogue", "run"]
