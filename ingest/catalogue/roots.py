"""The folders that the catalogue may open, and the question whether a path lies in one of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlalchemy import or_, select, update

from ingest.catalogue.errors import CatalogueError, PathOutsideRootsError
from ingest.catalogue.locks import Lock, hold_alone
from ingest.catalogue.model import Root
from ingest.catalogue.store import get_facility_id

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

DEFAULT_FACILITY = "local"


class RootSettingError(CatalogueError):
    """What was said about a root cannot be kept."""

    def __init__(self, setting: str, value: str, remedy: str) -> None:
        self.setting, self.value = setting, value
        super().__init__(f"{setting} {value!r}: {remedy}")


@dataclass(frozen=True, slots=True)
class RootSettings:
    """What a person says about a root; None leaves what is stored, or the default of a new root."""

    facility: str | None = None
    rules: str | None = None
    timezone: str | None = None
    release_policy: str | None = None
    release_years: int | None = None
    is_embargoed_metadata_public: bool | None = None
    is_secret: bool | None = None
    include: list[str] | None = None
    exclude: list[str] | None = None


def normalise(path: Path) -> Path:
    """Return the one spelling of a path under which it is stored: absolute, with no links in it."""
    return Path(os.path.realpath(path))


def upsert_root(session: Session, path: Path, settings: RootSettings) -> tuple[Root, bool]:
    """Make the folder a root, or change what is said about it; return it, and whether who may see it has changed.

    Raises RootSettingError if the folder is not there, lies in or around another root, or the zone is unknown.
    """
    folder = normalise(path)
    if not folder.is_dir():
        raise RootSettingError("root", str(path), "there is no such folder")
    if not _is_text(folder):
        raise RootSettingError("root", repr(path), "its name is not UTF-8, rename it")
    if settings.timezone is not None:
        check_zone(settings.timezone)
    root = _find(session, folder)
    if root is None:
        hold_alone(session, Lock.ROOTS)
        root = _find(session, folder)  # another may have made it meanwhile
    if root is None:
        _check_apart(session, folder)
        facility_id = get_facility_id(session, settings.facility or DEFAULT_FACILITY)
        root = Root(path=str(folder), facility_id=facility_id)
        session.add(root)
    elif settings.facility is not None:
        root.facility_id = get_facility_id(session, settings.facility)
    before = _to_policy(root)
    for name in RootSettings.__slots__:
        value = getattr(settings, name)
        if name != "facility" and value is not None:
            setattr(root, name, value)
    session.flush()
    return root, before != _to_policy(root)


def _find(session: Session, folder: Path) -> Root | None:
    return session.scalar(select(Root).where(Root.path == str(folder)))


def get_root(session: Session, path: Path) -> Root:
    """Return the root that holds the path; raises PathOutsideRootsError if none does."""
    real = normalise(path)
    candidates = [str(parent) for parent in (real, *real.parents)]
    root = session.scalar(select(Root).where(Root.path.in_(candidates))) if _is_text(real) else None
    if root is None:
        raise PathOutsideRootsError(str(path))
    return root


def list_roots_to_crawl(session: Session, before: datetime) -> list[Root]:
    """Return the roots whose last crawl ended before then, or that none has been through, the longest ago first."""
    due = or_(Root.crawled_at.is_(None), Root.crawled_at < before)
    return list(session.scalars(select(Root).where(due).order_by(Root.crawled_at.nulls_first(), Root.id)))


def mark_crawled(session: Session, root_id: int, now: datetime) -> None:
    """Note that a crawl came to its end."""
    session.execute(
        update(Root)
        .where(Root.id == root_id)
        .values(crawled_at=now, modified_at=Root.modified_at)
        .execution_options(synchronize_session=False)
    )


def _is_text(path: Path) -> bool:
    """Return whether the name can be stored: files may be called by any bytes."""
    return os.fsencode(path) == str(path).encode("utf-8", "ignore")


def _to_policy(root: Root) -> tuple[object, ...]:
    return root.release_policy, root.release_years, root.is_embargoed_metadata_public, root.is_secret


def check_zone(name: str) -> None:
    """Raise RootSettingError if there is no time zone of that name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise RootSettingError("timezone", name, "give a name such as Europe/Paris") from error


def _check_apart(session: Session, folder: Path) -> None:
    for other in session.scalars(select(Root.path)):
        if folder.is_relative_to(other) or Path(other).is_relative_to(folder):
            raise RootSettingError("root", str(folder), f"it lies in or around the root {other}: crawl that one")
