"""The log of what runs for long: one line after the other on standard error, in words or as JSON.

Each line about a master or a notice names it, whoever wrote the line: `about` says what is in hand. No line holds a
token, no signature of a link and no password of an address, and no name of a file makes a second line of one.
"""

from __future__ import annotations

import json
import logging
import logging.config
import re
import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from ingest.catalogue.access import PREFIX
from ingest.settings import LogFormat, LogSettings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_SECRETS: Final = (
    (re.compile(re.escape(PREFIX) + r"[\w-]{8,}"), f"{PREFIX}..."),
    (re.compile(r"(?<=://)([^\s/:@]*):[^\s/@]+(?=@)"), r"\1:..."),
    (re.compile(r"(?<=[?&]signature=)[^\s&]+"), "..."),
    # Whoever asks as they asked ICAT+ may carry another key than ours.
    (re.compile(r"(?<=/dataacquisition/)(?!nxcat_)[^\s/?]+"), "..."),
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ACCESS: Final = ("client", "method", "path", "protocol", "status")
"""What the web server tells of a request, in its order."""
_about: ContextVar[Mapping[str, Any]] = ContextVar("nxcat_about", default={})  # noqa: B039 (never changed in place)


@contextmanager
def about(**keys: Any) -> Iterator[None]:
    """Have every line that is logged meanwhile say what it is about: `master`, `dataset`, `notice`; None: nothing."""
    token = _about.set({**_about.get(), **{name: value for name, value in keys.items() if value is not None}})
    try:
        yield
    finally:
        _about.reset(token)


def configure_logs(level: str = "INFO") -> None:
    """Leave this process logging as the settings say: our own lines from that level on, others' warnings."""
    logging.config.dictConfig(to_log_config(LogSettings().log_format, level))
    logging.captureWarnings(capture=True)


def to_log_config(log_format: LogFormat, level: str = "INFO") -> dict[str, Any]:
    """Return what is logged and how, as logging.config takes it."""
    formatter = JsonLines if log_format is LogFormat.JSON else PlainLines
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": {"()": formatter}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {name: {"level": level.upper()} for name in ("ingest", "api", "uvicorn")},
    }


def redact(text: str) -> str:
    """Return the text without tokens, signatures of links and passwords of addresses."""
    for form, replacement in _SECRETS:
        text = form.sub(replacement, text)
    return text


class PlainLines(logging.Formatter):
    """Lines for people: when, how grave, who, what, about what."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 (the base class's name)
        """Return the line; what it is about stands at its end."""
        keys = " ".join(f"{name}={value}" for name, value in _about.get().items())
        line = super().formatMessage(record) + (f" [{keys}]" if keys else "")
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", line)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the traceback below it if there is one; nothing secret is in either."""
        return redact(super().format(record))


class JsonLines(logging.Formatter):
    """Lines for programs: one JSON object each, a traceback within it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the object, with nothing secret in it."""
        said: dict[str, Any] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(record.created))}.{int(record.msecs):03}Z",
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "message": record.getMessage(),
            **_about.get(),
        }
        if record.name == "uvicorn.access" and isinstance(record.args, tuple):
            said |= dict(zip(_ACCESS, record.args, strict=False))
        if record.exc_info:
            said["error"] = self.formatException(record.exc_info)
        return json.dumps({name: _to_shown(value) for name, value in said.items()})


def _to_shown(value: Any) -> Any:
    # A half of a surrogate pair, as in a name that is not UTF-8, cannot be encoded.
    return value if isinstance(value, int | float) else redact(str(value)).encode("utf-8", "backslashreplace").decode()
