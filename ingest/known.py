"""The masters that are known below a root, in the order in which a walk meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, select

from ingest.catalogue.model import MasterFile

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker

_BATCH = 500


class KnownMasters:
    """The known masters of a root in the order of their paths, a batch at a time."""

    def __init__(self, sessions: sessionmaker[Session], root_id: int) -> None:
        self._sessions = sessions
        self._root_id = root_id
        self._rows: list[Row[Any]] = []
        self._position = 0
        self._after = ""
        self._load()

    def peek(self) -> Row[Any] | None:
        """Return the next row without taking it; None at the end."""
        return self._rows[self._position] if self._position < len(self._rows) else None

    def take(self) -> Row[Any] | None:
        """Return the next row and go on; None at the end."""
        row = self.peek()
        if row is not None:
            self._position += 1
            self._after = row.path
            if self._position == len(self._rows):
                self._load()
        return row

    def skip_below(self, prefix: str) -> None:
        """Go on behind everything that begins with the prefix."""
        while (row := self.peek()) is not None and row.path.startswith(prefix):
            self.take()

    def _load(self) -> None:
        columns = (
            MasterFile.id,
            MasterFile.path,
            MasterFile.state,
            MasterFile.file_size,
            MasterFile.mtime_ns,
            MasterFile.folder_mtime_ns,
            MasterFile.read_at,
        )
        statement = (
            select(*columns)
            .where(MasterFile.root_id == self._root_id, MasterFile.path > self._after)
            .order_by(MasterFile.path)
            .limit(_BATCH)
        )
        with self._sessions() as session:
            self._rows = list(session.execute(statement))
        self._position = 0
