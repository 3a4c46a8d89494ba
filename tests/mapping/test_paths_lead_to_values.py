"""What is said of a file is read again at the path that is told, with plain h5py: the same stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

import h5py
import numpy as np
import pytest

from ingest.mapping.drafts import Origin, Quantity, Taken
from ingest.mapping.mapping import to_drafts
from ingest.mapping.readings import LONGEST_ORIGINAL
from ingest.mapping.rule_schema import ScanField
from ingest.mapping.rules import choose_rules, shipped_rules
from ingest.nexus.errors import ReaderError
from ingest.nexus.gate import read_gate
from ingest.nexus.master import read_master
from ingest.samples.tree import write_samples
from tests.mapping.record_parts import PARIS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.mapping.drafts import DatasetDraft

CORPUS: Final = Path(__file__).parents[2].parent / "shared" / "corpus"
SPAN: Final = " ... "
REDACTED: Final = "[redacted]"


def draft_of(path: Path) -> DatasetDraft:
    record = read_master(path)
    return to_drafts(record, choose_rules(record, shipped_rules()), PARIS)


def list_taken(draft: DatasetDraft) -> Iterator[tuple[str, Taken[Any]]]:
    for scan in draft.scans:
        yield from ((name, taken) for name in get_args(ScanField) if (taken := getattr(scan, name)) is not None)
        yield from (("user", user.name) for user in scan.users)
    by_scan = {parameter.name for parameter in draft.parameters if parameter.entry}
    for parameter in draft.parameters:
        # What sums up several scans stands nowhere; each of them keeps its own.
        if parameter.entry or parameter.value.path or parameter.name not in by_scan:
            yield parameter.name, parameter.value
    yield from (("technique", technique) for technique in draft.techniques)


def list_groups(draft: DatasetDraft) -> Iterator[str]:
    for scan in draft.scans:
        yield scan.entry
        yield from (detector.path for detector in scan.detectors)


def find_faults(path: Path) -> list[str]:
    """Return every value of the file that does not stand where it is said to."""
    draft = draft_of(path)
    with open_plainly(path) as file:
        faults = [
            f"{name}: {taken.path} ({taken.original}): {fault}"
            for name, taken in list_taken(draft)
            if (fault := find_fault(file, name, taken)) is not None
        ]
        faults += [f"{group} is no group" for group in list_groups(draft) if not isinstance(file[group], h5py.Group)]
    return faults


def open_plainly(path: Path) -> h5py.File:
    try:
        return h5py.File(path, "r", locking=False)
    except OSError:
        return h5py.File(path, "r", locking=False, swmr=True)


def find_fault(file: h5py.File, name: str, taken: Taken[Any]) -> str | None:
    """Return what is wrong with a value, None if it stands where it is said to."""
    found = find_object(file, taken.path or "")
    if found is None:
        return "nothing stands there"
    if isinstance(found, h5py.Group):
        return None if found.name.endswith(f"/{taken.original}") else "it is a group of another name"
    if name == "point_count":
        return None if "x".join(map(str, found.shape)) == taken.original else "it has another shape"
    told = taken.original or ""
    if SPAN in told and isinstance(taken.value, Quantity):
        return None if is_span(found[()], told) else "it has other extremes"
    said = list_texts(found if isinstance(found, np.ndarray) else found[()])
    if not holds(name, said, told):
        return f"it says {said}"
    return find_wrong_unit(found, taken)


def find_object(file: h5py.File, path: str) -> Any:
    """Return the field or the group, or the value of an attribute as an array; None if there is no such thing."""
    if path in file:
        return file[path]
    owner, _, attribute = path.rpartition("@")
    return np.asarray(file[owner].attrs[attribute]) if owner in file and attribute in file[owner].attrs else None


def holds(name: str, said: list[str], told: str) -> bool:
    joined = plain(", ".join(said))
    if name == "user":
        return plain(told) in {joined, *map(plain, re.split(r"[;/&\n|,]", joined))} or plain(told) in joined
    if len(told) > LONGEST_ORIGINAL:
        return joined.startswith(plain(told[:LONGEST_ORIGINAL]))
    form = ".*".join(re.escape(plain(part)) for part in told.split(REDACTED))
    return re.fullmatch(form, joined, re.DOTALL) is not None


def list_texts(value: Any) -> list[str]:
    items = np.asarray(value).ravel().tolist()
    return [to_text(item) for item in items if not (isinstance(item, float) and not np.isfinite(item))]


def to_text(item: object) -> str:
    if not isinstance(item, bytes):
        return str(item)
    try:
        return item.decode()
    except UnicodeDecodeError:
        return item.decode("latin-1")


def plain(text: str) -> str:
    """Return the text without padding, its numbers as they are compared: single precision is shown in two ways."""
    text = re.sub(r"-?\d+\.\d+(?:e[+-]?\d+)?|-?\d+e[+-]?\d+", lambda number: f"{float(number[0]):.6g}", text)
    return re.sub(r"[\s\0]+", " ", text).strip(" ,")


def is_span(values: Any, told: str) -> bool:
    numbers = np.asarray(values, dtype=float)
    low, high = (float(end) for end in told.partition(" (")[0].split(SPAN))
    return bool(np.isclose(np.nanmin(numbers), low) and np.isclose(np.nanmax(numbers), high))


def find_wrong_unit(found: Any, taken: Taken[Any]) -> str | None:
    """Return what is wrong with the unit: one that is told stands at the field, beside it, or in the text itself."""
    if taken.original_unit is None or isinstance(found, np.ndarray) or taken.origin is Origin.DERIVED:
        return None
    holders = [found, found.parent, *found.parent.values()]
    units = {plain(unit) for each in holders if each is not None for unit in list_texts(each.attrs.get("units", ""))}
    told = plain(taken.original_unit)
    return None if told in units or told in plain(taken.original or "") else f"nothing says {told}"


def find_all_faults(folder: Path) -> tuple[int, dict[str, list[str]]]:
    """Return how many files were looked at, and the faults of those that have some."""
    faults: dict[str, list[str]] = {}
    for path in sorted(path for path in folder.rglob("*.*") if path.is_file()):
        gate = read_gate(path)
        if gate.kind is not None or gate.truncated:
            continue  # libhdf5 may read for ever in half a file
        try:
            faults[str(path.relative_to(folder))] = find_faults(path)
        except ReaderError:
            continue
    return len(faults), {name: found for name, found in faults.items() if found}


def test_sample_masters_say_what_is_told_of_them(tmp_path: Path) -> None:
    write_samples(tmp_path)
    count, faults = find_all_faults(tmp_path)
    assert faults == {}
    assert count > 30


@pytest.mark.needs("corpus")
def test_real_files_say_what_is_told_of_them() -> None:
    count, faults = find_all_faults(CORPUS)
    assert faults == {}
    assert count > 40


def test_what_stands_elsewhere_is_seen(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["entry/title"] = "one"
        file["entry/energy"] = np.array([8.0, 9.0])
        file["entry/energy"].attrs["units"] = "keV"
        energy = Quantity("keV", bottom=8.0, top=9.0)
        assert find_fault(file, "title", Taken("one", "/entry/title", "one")) is None
        assert find_fault(file, "title", Taken("one", "/entry/title", "two")) == "it says ['one']"
        assert find_fault(file, "title", Taken("one", "/entry/name", "one")) == "nothing stands there"
        assert find_fault(file, "energy", Taken(energy, "/entry/energy", "8.0, 9.0", "keV")) is None
        assert find_fault(file, "energy", Taken(energy, "/entry/energy", "8.0 ... 9.0")) is None
        assert find_fault(file, "energy", Taken(energy, "/entry/energy", "7.0 ... 9.0")) == "it has other extremes"
        assert find_fault(file, "energy", Taken(energy, "/entry/energy", "8.0, 9.0", "eV")) == "nothing says eV"
