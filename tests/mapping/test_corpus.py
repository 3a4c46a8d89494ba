"""The hand-checked values of real files, judged by the scorer that came with them."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ingest.mapping.inspection import to_inspection
from ingest.mapping.mapping import to_drafts
from ingest.mapping.rules import choose_rules, shipped_rules
from ingest.nexus.errors import ReaderError
from ingest.nexus.master import read_master
from tests.mapping.record_parts import PARIS

if TYPE_CHECKING:
    from ingest.mapping.drafts import DatasetDraft


SHARED = Path(__file__).parents[2].parent / "shared"
CORPUS = SHARED / "corpus"
COLLECTION = CORPUS / "esrf-bliss" / "visitor" / "hc6001" / "id00" / "20261101" / "RAW_DATA" / "LaB6_cap"

pytestmark = pytest.mark.needs("corpus")


def drafts_of(path: Path) -> DatasetDraft:
    record = read_master(path)
    return to_drafts(record, choose_rules(record, shipped_rules()), PARIS)


def inspect(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
    """Answer as `nxcat inspect --json FILE` would, without starting a process for each of the files."""
    try:
        told = to_inspection(drafts_of(Path(command[-1])))
    except ReaderError:
        told = {"scans": []}
    return subprocess.CompletedProcess(command, 0, stdout=json.dumps(told))


def test_real_files_give_what_a_scientist_would_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scorer = str(SHARED / "score_corpus.py")
    monkeypatch.setattr(sys, "argv", [scorer, str(CORPUS), "--show", "--", "inspect"])
    monkeypatch.setattr(subprocess, "run", inspect)
    with pytest.raises(SystemExit):
        runpy.run_path(scorer)
    judged = capsys.readouterr().out
    recall, false, failed = re.search(r"SCORE recall (\S+) false (\d+) failed (\d+)", judged).groups()
    assert (float(recall) >= 0.99, false, failed) == (True, "0", "0"), judged


@pytest.mark.parametrize(
    ("dataset", "reasons"),
    [
        ("LaB6_cap_0001", ["SUCCESS", "SUCCESS", "SUCCESS"]),
        ("LaB6_cap_0003_abort", ["SUCCESS", "USER_ABORT", "FAILURE"]),
        ("LaB6_cap_0004_crash", ["SUCCESS", None]),
    ],
)
def test_bliss_scans_are_told_as_what_they_are(dataset: str, reasons: list[str | None]) -> None:
    draft = drafts_of(COLLECTION / dataset / f"{dataset}.h5")
    assert [scan.end_reason and scan.end_reason.value for scan in draft.scans] == reasons
    assert [scan.ended for scan in draft.scans] == [reason is not None for reason in reasons]
    assert {scan.instrument_name.value for scan in draft.scans} == {"id00"}


def test_collection_master_has_no_scans_and_lima_file_is_a_side_file() -> None:
    assert drafts_of(COLLECTION / "hc6001_LaB6_cap.h5").scans == ()
    assert drafts_of(COLLECTION / "LaB6_cap_0002_cam" / "scan0001" / "basler1_0000.h5").is_side_file
