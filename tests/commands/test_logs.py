"""What a line of the log looks like, what it names, and what it never holds."""

from __future__ import annotations

import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import pytest

from ingest.catalogue.access import PREFIX
from ingest.logs import JsonLines, PlainLines, about, configure_logs

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = f"{PREFIX}{'Ab-_' * 11}"
SECRETS = {
    f"GET /icatplus/dataacquisition/{TOKEN}/investigation": f"GET /icatplus/dataacquisition/{PREFIX}.../investigation",
    "GET /icatplus/dataacquisition/5f2c-9e/dataset?skip=1": "GET /icatplus/dataacquisition/.../dataset?skip=1",
    "cannot reach redis://:s3cret@host:6379/0": "cannot reach redis://:...@host:6379/0",
    "amqp://nxcat:s3cret@mq.example.org": "amqp://nxcat:...@mq.example.org",
    "/files/1/a.h5?key=3&signature=Zm9v-_&expires=1": "/files/1/a.h5?key=3&signature=...&expires=1",
}
FORMATTERS = [PlainLines, JsonLines]


def to_record(message: str, *arguments: Any, name: str = "ingest.drain", error: Any = None) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "drain.py", 1, message, arguments, error)


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Give back what pytest has set up, whatever a test configures."""
    root, ours = logging.getLogger(), logging.getLogger("ingest")
    kept = root.handlers[:], root.level, ours.level
    yield ours
    root.handlers[:], root.level, ours.level = kept


@pytest.mark.parametrize("formatter", FORMATTERS)
@pytest.mark.parametrize(("said", "shown"), SECRETS.items())
def test_no_secret_is_in_a_line(formatter: type[logging.Formatter], said: str, shown: str) -> None:
    for record in (to_record(said), to_record("%s", said)):
        assert shown in formatter().format(record)
    with about(address=said):
        line = formatter().format(to_record("looked"))
    assert shown in line
    assert "s3cret" not in line


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_no_secret_is_in_a_traceback(formatter: type[logging.Formatter]) -> None:
    try:
        int(TOKEN)
    except ValueError:
        line = formatter().format(to_record("failed", error=sys.exc_info()))
    assert "Traceback" in line
    assert TOKEN not in line


def test_json_names_what_the_line_is_about_and_no_more_afterwards() -> None:
    with about(master="/data/a.h5", claim="host:1:2"), about(dataset=42):
        inner = json.loads(JsonLines().format(to_record("read %d of %d", 1, 2)))
    outer = json.loads(JsonLines().format(to_record("done")))
    assert (inner["master"], inner["claim"], inner["dataset"]) == ("/data/a.h5", "host:1:2", 42)
    assert (inner["message"], inner["level"], inner["logger"]) == ("read 1 of 2", "WARNING", "ingest.drain")
    assert "master" not in outer


def test_json_tells_the_parts_of_a_request() -> None:
    arguments = ("127.0.0.1:5", "GET", f"/icatplus/{TOKEN}", "1.1", 200)
    record = to_record('%s - "%s %s HTTP/%s" %d', *arguments, name="uvicorn.access")
    said = json.loads(JsonLines().format(record))
    assert (said["method"], said["path"], said["status"]) == ("GET", f"/icatplus/{PREFIX}...", 200)


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_a_line_stays_one_line_whatever_a_file_is_called(formatter: type[logging.Formatter]) -> None:
    name = "/data/a\n2026-01-01T00:00:00Z INFO all is well\x1b[2J\u2028\udcff.h5"
    with about(master=name):
        line = formatter().format(to_record("failed over %s", name))
    assert line.encode("utf-8", "backslashreplace").decode().isprintable()


def test_setting_says_how_lines_are_written(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NXCAT_LOG_FORMAT", "json")
    configure_logs()
    with about(notice=7):
        logger.info("settled")
    assert json.loads(capsys.readouterr().err)["notice"] == 7
    monkeypatch.setenv("NXCAT_LOG_FORMAT", "text")
    configure_logs("warning")
    with about(notice=7):
        logger.info("settled")
        logger.warning("waits")
        logging.getLogger("another").info("chatter")
    assert capsys.readouterr().err.endswith("Z WARNING ingest: waits [notice=7]\n")
