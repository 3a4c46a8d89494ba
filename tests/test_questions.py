"""The examples of docs/questions.md are run as they stand there, and print what the page says."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from doctest import ELLIPSIS, OutputChecker
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.demonstration import served_demonstration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.demonstration import Demonstration

PAGE = Path(__file__).parents[1] / "docs" / "questions.md"
ADDRESS = "http://127.0.0.1:8000"
SHELL, PYTHON, ANSWER = "sh", "python", "text"
PUBLISHING = "nxcat publish"


@dataclass(frozen=True)
class Example:
    """Code of the page, and what it says that this prints."""

    question: str
    language: str
    code: str
    answer: str

    @property
    def is_publishing(self) -> bool:
        return PUBLISHING in self.code


def read_examples() -> Iterator[Example]:
    """Read all code of the page; an answer is that of all code since the one before it."""
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        question, *_ = section.split(".")
        waiting: list[tuple[str, str]] = []
        for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL):
            if language != ANSWER:
                waiting.append((language, text))
                continue
            yield from (Example(question, *code, text) for code in waiting)
            waiting = []
        assert waiting == [], f"question {question} has code without an answer"


EXAMPLES = list(read_examples())
ASKED = [example for example in EXAMPLES if not example.is_publishing]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """Serve the demonstration, with the dataset published that the page publishes."""
    folder = tmp_path_factory.mktemp("questions")
    with served_demonstration(folder / "nxcat-demo") as served:
        for example in EXAMPLES:
            if example.is_publishing:
                assert_answered(run_shell(example.code, folder), example.answer)
        yield served


def run_shell(code: str, folder: Path) -> str:
    """Run it as somebody does in whose shell the virtual environment is active; return what it printed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    told = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        cwd=folder,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    return told.stdout


def run_python(code: str) -> str:
    """Run it by itself; return what it printed."""
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, PAGE.name, "exec"), {"__name__": "__main__"})  # noqa: S102 (our own page)
    return printed.getvalue()


def assert_answered(printed: str, answer: str) -> None:
    """Fail unless it is what the page says, where three dots stand for anything."""
    if not OutputChecker().check_output(f"{answer.rstrip()}\n", f"{printed.rstrip()}\n", ELLIPSIS):
        assert printed == answer


@pytest.mark.needs("curl")
@pytest.mark.needs("jq")
@pytest.mark.parametrize("example", [e for e in ASKED if e.language == SHELL], ids=lambda e: e.question)
def test_shell_prints_what_the_page_says(site: Demonstration, example: Example, tmp_path: Path) -> None:
    printed = run_shell(example.code.replace(ADDRESS, site.address), tmp_path)
    assert_answered(printed.replace(site.address, ADDRESS), example.answer)


@pytest.mark.parametrize("example", [e for e in ASKED if e.language == PYTHON], ids=lambda e: e.question)
def test_python_prints_what_the_page_says(
    site: Demonstration, example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = run_python(example.code.replace(ADDRESS, site.address))
    assert_answered(printed.replace(site.address, ADDRESS), example.answer)


def test_each_of_ten_questions_is_asked_in_both_languages() -> None:
    asked = [(example.question, example.language) for example in ASKED]
    assert asked == [(str(number), language) for number in range(1, 11) for language in (SHELL, PYTHON)]


def test_nothing_is_asked_elsewhere() -> None:
    for example in EXAMPLES:
        assert set(re.findall(r"https?://[^/\s'\"${]+", example.code)) <= {ADDRESS}
