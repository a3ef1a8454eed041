"""Every error crossrank raises on purpose, and what each means to a shell and to an HTTP client.

Error                 the root: catch this to catch them all
├── BadInput          (ValueError)    an argument, file or row is not what was asked for
├── NotFound          (LookupError)   a path, id, column or query that is not there
├── MissingExtra      (ImportError)   an optional dependency is not installed
├── ModelError        (ValueError)    a model directory cannot be used as it is
├── Offline           (OSError)       a hub id that is neither cached nor downloadable now
├── CollectionError   (RuntimeError)  a collection is damaged, locked or of another format
└── Overloaded        (RuntimeError)  no room for more work now; try again later

A message says what was wanted, what came, and what to do.
"""

from __future__ import annotations


class Error(Exception):
    """The root of all errors crossrank raises on purpose."""


class BadInput(Error, ValueError):  # noqa: N818
    """An argument, a file or a row is not what was asked for."""


class NotFound(Error, LookupError):  # noqa: N818
    """A path, id, column or query that was named is not there."""


class MissingExtra(Error, ImportError):  # noqa: N818
    """An optional dependency is needed and not installed; the message names the pip line."""


class ModelError(Error, ValueError):
    """A model directory or graph cannot be used as it is."""


class Offline(Error, OSError):  # noqa: N818
    """A hub id that is neither in the local cache nor downloadable now."""


class CollectionError(Error, RuntimeError):
    """A collection on disk is damaged, locked, or written by another format version."""


class Overloaded(Error, RuntimeError):  # noqa: N818
    """There is no room for more work at the moment; the same call may succeed later."""


# One table: error class -> (exit code of the command line, HTTP status of the server).
STATUS: dict[type[Error], tuple[int, int]] = {
    BadInput: (2, 422),
    NotFound: (3, 404),
    MissingExtra: (4, 501),
    ModelError: (5, 500),
    Offline: (6, 503),
    CollectionError: (7, 500),
    Overloaded: (8, 429),
    Error: (1, 500),
}


def exit_code(error: Error) -> int:
    """The process exit code for an error: that of its nearest class in `STATUS`."""
    return _status(error)[0]


def http_status(error: Error) -> int:
    """The HTTP status for an error: that of its nearest class in `STATUS`."""
    return _status(error)[1]


def _status(error: Error) -> tuple[int, int]:
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)
