"""The record of a dataset, what the reader saw in its master, as a viewer may see it (docs/record-format.md).

Whoever sees all gets it as it is stored. For the others the metadata stay, and what is none is taken out: places on
the server's disks, names of files outside of the dataset's folder, names of files that are not released, of a person
all but name and role, what tells of a patient, and what a rule keeps for those who see all.
"""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import select

from ingest.catalogue.errors import NotFoundError
from ingest.catalogue.model import Dataset, DatasetParameter, MasterRecord, Root
from ingest.catalogue.paging import to_key
from ingest.catalogue.redaction import REDACTED, is_patient_group, is_patients
from ingest.catalogue.visibility import Viewer, may_find, may_open_files

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

_ABSOLUTE: Final = re.compile(r"~?/|file:/|[a-z]:[\\/]|\\\\", re.IGNORECASE)
_PLACE: Final = re.compile(
    r"""(?:(?<![\w/.<])/(?!/)|\bfile:/|(?<!\w)[a-z]:[\\/]|(?<!\\)\\\\(?=\w))[^\s"'<>|,;)\]}]*""", re.IGNORECASE
)
"""A place within a text, as far as the next blank: what begins with a slash, a drive or two backslashes. No address of
the web, since a slash that follows another one or a letter begins none."""
_SHOWN_OF_A_PERSON: Final = {"name", "role"}


class _Redactor:
    """Takes places on disks out of texts. A path that begins at a member of the file's root is an HDF5 path, and stays.

    Unless it lies below one of the catalogue's roots: an entry may be called `data`.
    """

    def __init__(self, document: dict[str, Any], roots: Sequence[str]) -> None:
        self._members = set(_list_members(document))
        self._roots = tuple(roots)

    def redact(self, value: Any) -> Any:
        """Return the value of a field or an attribute without places on disks."""
        if isinstance(value, str):
            return self._redact_text(value)
        if isinstance(value, list):
            return [self.redact(each) for each in value]
        return value

    def _redact_text(self, text: str) -> str:
        if "/" not in text and "\\" not in text:
            return text
        if _ABSOLUTE.match(text) and not self._is_inside(text):
            return REDACTED
        return _PLACE.sub(lambda found: found[0] if self._is_inside(found[0]) else REDACTED, text)

    def _is_inside(self, path: str) -> bool:
        """Return whether the text is an HDF5 path of the file, or no path at all: `/s` is a unit."""
        if not path.startswith("/") or any(f"{path}/".startswith(f"{root}/") for root in self._roots):
            return False
        first, *further = path[1:].split("/")
        return first in self._members or not further


def get_raw_record(session: Session, viewer: Viewer, now: datetime, dataset_id: int) -> bytes:
    """Return the record as JSON in UTF-8, some 4 MB at most.

    Raises NotFoundError if there is no such dataset, none that the viewer may know of, or no record of it.
    """
    row = session.execute(
        select(MasterRecord.document, may_open_files(viewer, now).label("is_open"))
        .select_from(Dataset)
        .outerjoin(MasterRecord, MasterRecord.master_file_id == Dataset.master_file_id)
        .where(Dataset.id == to_key(dataset_id), may_find(viewer, now))
    ).one_or_none()
    if row is None:
        raise NotFoundError("dataset", dataset_id)
    if row.document is None:
        raise NotFoundError("record of dataset", dataset_id)
    encoded = zlib.decompress(row.document)
    if viewer.sees_all:
        return encoded
    roots = session.scalars(select(Root.path)).all()
    closed = _list_closed(session, dataset_id)
    document = msgspec.json.decode(encoded)
    return msgspec.json.encode(to_public_record(document, roots, closed, has_files=bool(row.is_open)))


def to_public_record(
    document: dict[str, Any], roots: Sequence[str], closed: Collection[str] = (), *, has_files: bool
) -> dict[str, Any]:
    """Return the record as those see it who do not see all.

    `closed` are HDF5 paths of what is not public; `has_files`: they may list the dataset's files.
    """
    document = _without_persons(document, closed)
    redactor = _Redactor(document, roots)
    public = dict(document)
    public["root"] = _to_public_group(document["root"], redactor)
    if "entries" in document:
        public["entries"] = [_to_public_group(entry, redactor) for entry in document["entries"]]
    if "linked_files" in document:
        public["linked_files"] = [_to_public_link(link, has_files) for link in document["linked_files"]]
    return public


def _list_closed(session: Session, dataset_id: int) -> set[str]:
    """Return the HDF5 paths of the dataset's parameters that are not public, those of attributes as `path@name`."""
    statement = select(DatasetParameter.source_path).where(
        DatasetParameter.dataset_id == dataset_id, DatasetParameter.is_public.is_(False)
    )
    return {path for path in session.scalars(statement) if path}


def _without_persons(document: dict[str, Any], closed: Collection[str]) -> dict[str, Any]:
    """Return the record without what tells of a patient, and without what lies at these paths."""
    closed = _to_every_name(document, closed)
    public = dict(document)
    public["root"] = _without_patients(document["root"], closed)
    if "entries" in document:
        public["entries"] = [_without_patients(entry, closed) for entry in document["entries"]]
    return public


def _to_every_name(document: dict[str, Any], paths: Collection[str]) -> set[str]:
    """Return the paths of what lies there under every name: a group that has several stands in the record at each."""
    firsts = dict(
        pair for group in (document["root"], *document.get("entries", ())) for pair in _list_firsts(group, "")
    )
    every = set(paths)
    for path in paths:
        owner, _, attribute = path.partition("@")
        group, cut, member = (owner, "@", attribute) if owner in firsts else path.rpartition("/")
        every.update(f"{name}{cut}{member}" for name, first in firsts.items() if first == firsts.get(group, group))
    return every


def _list_firsts(group: dict[str, Any], first: str) -> Iterator[tuple[str, str]]:
    """Yield the path of each group with the one under which it was read first (docs/record-format.md)."""
    target = group.get("attributes", {}).get("target")
    first = target if isinstance(target, str) and target.startswith("/") else first or group["path"]
    yield group["path"], first
    for below in group.get("groups", ()):
        yield from _list_firsts(below, f"{first.rstrip('/')}/{below['path'].rpartition('/')[2]}")


def _without_patients(
    group: dict[str, Any], closed: Collection[str], in_sample: bool = False, in_patient: bool = False
) -> dict[str, Any]:
    path, name = group["path"], group["path"].rpartition("/")[2]
    in_sample = in_sample or group.get("nx_class", "").lower() == "nxsample" or name.lower().startswith("sample")
    in_patient = in_patient or is_patient_group(name, in_sample)

    def is_closed(name: str, place: str) -> bool:
        return in_patient or place in closed or is_patients(name, in_sample)

    def to_open(owner: dict[str, Any], place: str) -> dict[str, Any]:
        kept = {n: v for n, v in owner.get("attributes", {}).items() if not is_closed(n, f"{place}@{n}")}
        return {**owner, "attributes": kept} if "attributes" in owner else owner

    public = to_open(group, path)
    if "fields" in group:
        places = [(field, f"{path.rstrip('/')}/{field['name']}") for field in group["fields"]]
        public = {**public, "fields": [to_open(f, p) for f, p in places if not is_closed(f["name"], p)]}
    if "groups" in group:
        below = [_without_patients(each, closed, in_sample, in_patient) for each in group["groups"]]
        public = {**public, "groups": below}
    return public


def _list_members(document: dict[str, Any]) -> Iterator[str]:
    for group in (*document.get("entries", ()), *document["root"].get("groups", ())):
        yield group["path"].split("/")[1]


def _to_public_group(group: dict[str, Any], redactor: _Redactor) -> dict[str, Any]:
    if group.get("nx_class") == "NXuser":
        fields = [field for field in group.get("fields", ()) if field["name"].lower() in _SHOWN_OF_A_PERSON]
        group = {"path": group["path"], "nx_class": "NXuser", "fields": fields}
    public = dict(group)
    if "attributes" in group:
        public["attributes"] = _to_public_attributes(group["attributes"], redactor)
    if "fields" in group:
        public["fields"] = [_to_public_field(field, redactor) for field in group["fields"]]
    if "groups" in group:
        public["groups"] = [_to_public_group(below, redactor) for below in group["groups"]]
    return public


def _to_public_field(field: dict[str, Any], redactor: _Redactor) -> dict[str, Any]:
    public = dict(field)
    if "value" in field:
        public["value"] = redactor.redact(field["value"])
    if "attributes" in field:
        public["attributes"] = _to_public_attributes(field["attributes"], redactor)
    return public


def _to_public_attributes(attributes: dict[str, Any], redactor: _Redactor) -> dict[str, Any]:
    return {name: redactor.redact(value) for name, value in attributes.items()}


def _to_public_link(link: dict[str, Any], has_files: bool) -> dict[str, Any]:
    """Return the link with the file that it leads to only where that one lies in the dataset's own folder."""
    file = link["file"]
    is_inside = not _ABSOLUTE.match(file) and ".." not in re.split(r"[\\/]", file)
    if has_files and is_inside:
        return link
    return {"path": link["path"], "kind": link["kind"]}
