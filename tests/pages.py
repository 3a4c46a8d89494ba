"""A page as a test reads it: its elements in order, with their attributes and their text. `from tests.pages import`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input", "link", "meta", "wbr"}
ADDRESSES = ("href", "src", "action", "formaction", "srcset", "data", "poster", "ping", "cite")


@dataclass
class Element:
    """An element; its text is all that is said in it (`aria-hidden` is not), blanks as they are shown."""

    tag: str
    attributes: dict[str, str]
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]


class Page(HTMLParser):
    """Fails where an element is not closed, or closed twice, or an id is given twice."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(text)
        self.close()
        assert not self._open, f"not closed: {self._open}"
        ids = Counter(element["id"] for element in self.elements if "id" in element.attributes)
        assert not [name for name, count in ids.items() if count > 1], ids

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute stands twice: {tag} {attrs}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"closes nothing: {tag}"
        assert self._open[-1].tag == tag, f"{tag} closes {self._open[-1]}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not any("aria-hidden" in element.attributes for element in self._open):
            for element in self._open:
                element.pieces.append(data)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """Return the elements of that tag with these attributes (`class_` for class)."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
        return [e for e in self.elements if e.tag == tag and wanted.items() <= e.attributes.items()]

    def one(self, tag: str, **attributes: str) -> Element:
        """Return the only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, found
        return found[0]

    def link(self, text: str) -> str:
        """Return where the only link with that text leads."""
        found = {element["href"] for element in self.all("a") if element.text == text}
        assert len(found) == 1, (text, found)
        return found.pop()

    def addresses(self) -> set[str]:
        """Return all addresses that a browser would load, follow or send to."""
        return {value for element in self.elements for name, value in element.attributes.items() if name in ADDRESSES}
