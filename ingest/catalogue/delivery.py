"""Which files of a dataset a viewer may have, and where they lie. Functions that only read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Select, and_, case, not_, or_, select

from ingest.catalogue.errors import NotFoundError, NotReleasedError
from ingest.catalogue.masters import clamp_ns
from ingest.catalogue.model import Datafile, Dataset, MasterFile, Root
from ingest.catalogue.opening import FileElsewhereError, FilePlace, FileVanishedError, open_inside
from ingest.catalogue.paging import Page, from_cursor, to_key, to_page
from ingest.catalogue.visibility import may_find, may_open_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session, sessionmaker

    from ingest.catalogue.opening import OpenedFile
    from ingest.catalogue.paging import PageRequest
    from ingest.catalogue.visibility import Viewer

CHUNK: Final = 1000
"""Names that are asked for at once."""
_STORED: Final[tuple[Any, ...]] = (
    Datafile.ordinal,
    Datafile.name,
    Datafile.file_size,
    Datafile.mtime_ns,
    Datafile.checksum,
)


@dataclass(frozen=True, slots=True)
class DatasetFolder:
    """Where the files of a dataset lie on the server, and what the dataset is called."""

    dataset_id: int
    name: str
    root: str
    location: str

    def to_place(self, name: str) -> FilePlace:
        """Return where the file of that name lies."""
        return FilePlace(self.root, self.location, name)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """What the catalogue knows of a file that should be there."""

    ordinal: int
    name: str
    file_size: int
    mtime_ns: int
    checksum: str | None

    def describes(self, opened: OpenedFile) -> bool:
        """Return whether the file is still as it was when the catalogue last looked."""
        return (opened.size, clamp_ns(opened.mtime_ns)) == (self.file_size, self.mtime_ns)


def get_folder(session: Session, viewer: Viewer, now: datetime, dataset_id: int) -> DatasetFolder:
    """Return where the dataset's files lie.

    Raises NotFoundError if there is none that the viewer may know of, NotReleasedError if its files are closed to it.
    """
    row = session.execute(
        select(Dataset.name, Root.path, Dataset.location, may_open_files(viewer, now))
        .join(MasterFile, MasterFile.id == Dataset.master_file_id)
        .join(Root, Root.id == MasterFile.root_id)
        .where(Dataset.id == to_key(dataset_id), may_find(viewer, now))
    ).one_or_none()
    if row is None:
        raise NotFoundError("dataset", dataset_id)
    name, root, location, is_open = row
    if not is_open:
        raise NotReleasedError(dataset_id)
    return DatasetFolder(dataset_id, name, root, location)


def get_file(session: Session, dataset_id: int, name: str) -> StoredFile:
    """Return what is known of the dataset's file of that name; whether it may be opened is asked by `get_folder`.

    Raises NotFoundError if there never was one, FileVanishedError if it is gone.
    """
    return get_files(session, dataset_id, [name])[0]


def get_files(session: Session, dataset_id: int, names: Sequence[str]) -> tuple[StoredFile, ...]:
    """Return what is known of the dataset's files of these names, in their order; raises as `get_file`."""
    storable = [name for name in names if _is_storable(name)]
    statement = select(*_STORED, Datafile.is_vanished).where(Datafile.dataset_id == dataset_id)
    found = {file.name: file for file in session.execute(statement.where(Datafile.name.in_(storable)))}
    for name in names:
        if name not in found:
            raise NotFoundError("file", name)
        if found[name].is_vanished:
            raise FileVanishedError(name)
    return tuple(_to_stored(found[name]) for name in names)


def list_wanted_files(
    session: Session, dataset_id: int, request: PageRequest, names: Sequence[str] | None
) -> Page[StoredFile]:
    """Return what is known of the files of these names, on one page; without names, a page of all that should be there.

    Raises as `get_file`.
    """
    if names is not None:
        return Page(get_files(session, dataset_id, names))
    list_name = f"present files {dataset_id}"
    after = from_cursor(list_name, request, (int,))
    statement = _select_present(_STORED, dataset_id, after[0] if after else -1, request.limit + 1)
    rows = session.execute(statement).all()
    return to_page(list_name, request, rows, lambda file: [file.ordinal], _to_stored)


def stream_present_names(sessions: sessionmaker[Session], dataset_id: int) -> Iterator[str]:
    """Yield the names of all files that should be there, in the order of their ordinals; few are held at once.

    What is done with them may take minutes: no connection is held meanwhile.
    """
    after = -1
    while True:
        with sessions() as session:
            rows = session.execute(_select_present((Datafile.name, Datafile.ordinal), dataset_id, after, CHUNK)).all()
        if not rows:
            return
        yield from (name for name, _ in rows)
        after = rows[-1].ordinal


@dataclass(frozen=True, slots=True)
class FileDoor:
    """Opens files for one viewer at one instant; `withheld` is how the paths begin that are opened for nobody."""

    sessions: sessionmaker[Session]
    viewer: Viewer
    now: datetime
    withheld: tuple[bytes, ...]

    def open(self, place: FilePlace) -> OpenedFile:
        """Open a file of a dataset whose files the viewer may open. Raises as `open_inside`.

        A link may lead elsewhere within the root, but not to another dataset that is closed to the viewer: else
        whoever can write into one folder of the root could open all others to the world.
        """
        opened = open_inside(place, self.withheld)
        path = opened.path.decode("utf-8", "backslashreplace")  # as names that are not UTF-8 are stored
        if path != f"{place.location}/{place.name}" and self._leads_to_closed(path):
            opened.close()
            raise FileElsewhereError(place.name)
        return opened

    def _leads_to_closed(self, path: str) -> bool:
        with self.sessions() as session:
            return _is_closed(session, self.viewer, self.now, path)


def _is_closed(session: Session, viewer: Viewer, now: datetime, path: str) -> bool:
    """Return whether the path lies in the folder of a dataset that is closed to the viewer.

    Several datasets may share a folder: a file of one that is open is open. Without an index on the
    location this looks at every dataset; it is asked for links alone.
    """
    folders = [path[:end] for end in range(1, len(path)) if path[end] == "/"]
    # A release date that is not known makes the rule neither true nor false; it means closed.
    is_open = case((may_open_files(viewer, now), True), else_=False)
    owns = or_(*(and_(Dataset.location == folder, Datafile.name == path[len(folder) + 1 :]) for folder in folders))
    files = select(Dataset.id).join(Datafile, Datafile.dataset_id == Dataset.id)
    if session.scalar(files.where(Dataset.location.in_(folders), owns, is_open).limit(1)) is not None:
        return False
    closed = select(Dataset.id).where(Dataset.location.in_(folders), not_(is_open)).limit(1)
    return session.scalar(closed) is not None


def _select_present(wanted: tuple[Any, ...], dataset_id: int, after: int, limit: int) -> Select[Any]:
    return (
        select(*wanted)
        .where(Datafile.dataset_id == dataset_id, Datafile.ordinal > after, Datafile.is_vanished.is_(False))
        .order_by(Datafile.ordinal)
        .limit(limit)
    )


def _to_stored(file: Any) -> StoredFile:
    return StoredFile(file.ordinal, file.name, file.file_size, file.mtime_ns, file.checksum)


def _is_storable(name: str) -> bool:
    """Return whether a name can stand in the database at all."""
    return "\0" not in name and name.encode("utf-8", "ignore").decode() == name
