"""What can go wrong in the catalogue: each error is named, and carries data.

Which HTTP status or which retry follows is decided in one table each: `api/errors.py` and the workers' retries.
"""

from __future__ import annotations


class CatalogueError(Exception):
    """Any failure of the shared room."""


class NotFoundError(CatalogueError):
    """There is no such thing, or the viewer may not know of it."""

    def __init__(self, kind: str, key: object) -> None:
        self.kind, self.key = kind, key
        super().__init__(f"no {kind} {key}")


class ConflictError(CatalogueError):
    """Somebody else changed the same thing in between."""


class UnavailableError(CatalogueError):
    """The database or the index does not answer now."""


class NotReleasedError(CatalogueError):
    """The data are known, but not open yet to this viewer."""

    def __init__(self, dataset_id: int) -> None:
        self.dataset_id = dataset_id
        super().__init__(f"the files of dataset {dataset_id} are not released yet")


class PathOutsideRootsError(CatalogueError):
    """The path, its links resolved, lies in none of the catalogue's roots."""

    def __init__(self, path: str) -> None:
        self.path = path
        super().__init__(f"{path} lies outside every root of the catalogue; crawl the folder that holds it first")


class InvalidQueryError(CatalogueError):
    """The query cannot be understood; `position` is where, counted from 0."""

    def __init__(self, message: str, position: int = 0, text: str = "") -> None:
        self.message, self.position, self.text = message, position, text
        super().__init__(f"{message} (at character {position + 1})")


class SchemaTooNewError(CatalogueError):
    """A newer release has upgraded the database; this one must not touch it."""

    def __init__(self, found: str, known: str) -> None:
        self.found, self.known = found, known
        super().__init__(
            f"the database is at schema {found}, this release of nxcat knows {known}: update nxcat on this machine"
        )
