"""The query language: text in, tree out, or an error that points at the place. docs/query-language.md is its manual.

A recursive descent over one string, a method for each rule. Every pattern is linear in the text, and the text, its
depth and its number of words are bounded, so that a hostile query costs an error and no time.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NoReturn

from ingest.catalogue.errors import InvalidQueryError
from ingest.catalogue.formulas import find_symbol
from ingest.catalogue.identifiers import strip_doi_address
from ingest.catalogue.search.folding import to_tokens
from ingest.catalogue.search.fuzzy import MIN_LENGTH, to_distance
from ingest.catalogue.search.nouns import ELEMENTS, Instant, Noun, to_field
from ingest.catalogue.search.periods import parse_period, to_bounds
from ingest.catalogue.search.query import (
    All,
    And,
    DateRange,
    Elements,
    FieldMatch,
    Match,
    Not,
    Or,
    ParameterRange,
    Phrase,
    Place,
    Query,
    Word,
)
from ingest.catalogue.search.wildcards import MAX_LETTERS, MAX_WILDCARDS, get_beginning, has_wildcards, to_patterns

if TYPE_CHECKING:
    from datetime import datetime

MAX_LENGTH: Final = 2000
MAX_DEPTH: Final = 20
MAX_WORDS: Final = 64
MAX_SIGNS: Final = 8
"""Words with `*`, `?` or `~`: each reads all that it stands for, 0.25 s at a million datasets if it is most of them."""

MAX_ELEMENTS: Final = 20
"""In one formula; tantivy's patterns end at some 30."""
NEAR_SHARE: Final = 0.05
"""A value is near another if it differs by no more than this part of it."""

_END = r"(?=[\s()]|$)"
_NO_KEYWORD = r'(?!(?:and|or|not)(?=[\s()"]|$))'
# No possessive group: Python before 3.11.3 loses its place behind a look-ahead in one.
_UNIT = rf'{_NO_KEYWORD}((?:1/)?(?:[^\W\d_]|[%°])(?:[^\s()":<>.]|\.(?!\.))*)'
_NUMBER = r"([+-]?(?:\d++(?:\.(?!\.)\d*+)?|\.\d++)(?:e[+-]?\d++)?)"
_LAST_UNIT = rf'(?:\s*{_UNIT}(?![":]))?'

_SPACE: Final = re.compile(r"\s*+")
_KEYWORD: Final = re.compile(r'(and|or|not)(?=[\s()"]|$)', re.IGNORECASE)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_FIELD: Final = re.compile(r'(?!https?://)(?:"((?:[^"\\]|\\.)*+)"|([^\s()":<>*]++)):', re.DOTALL | re.IGNORECASE)
_WORD: Final = re.compile(r'[^\s()"]++')
_COMPARISON: Final = re.compile(rf"(<=|>=|<|>)\s*+{_NUMBER}{_LAST_UNIT}{_END}", re.IGNORECASE)
_SPAN: Final = re.compile(rf"(?:{_NUMBER}\s*+(?:{_UNIT}\s*+)?)?\.\.\s*+(?:{_NUMBER}{_LAST_UNIT})?{_END}", re.IGNORECASE)
_EQUAL: Final = re.compile(rf"{_NUMBER}{_LAST_UNIT}{_END}", re.IGNORECASE)
_DATES: Final = re.compile(r'(<=|>=|<|>)?\s*+([^\s()"]++)')
_NEAR: Final = re.compile(rf"~\s*+{_NUMBER}{_LAST_UNIT}{_END}", re.IGNORECASE)
_COMPARED: Final = re.compile(r"([^<>]+)[<>]")
_BOOLEANS: Final = {"true": "true", "yes": "true", "1": "true", "false": "false", "no": "false", "0": "false"}


def parse_query(text: str) -> Query:
    """Return the tree of a query in the language; an empty text asks for all.

    Raises InvalidQueryError with the position of what is wrong and what would do instead.
    """
    return _Parser(text).parse()


def to_surroundings(value: float) -> tuple[float, float]:
    """Return the bounds of what is near a number."""
    low, high = sorted(_tidy(value * share) for share in (1 - NEAR_SHARE, 1 + NEAR_SHARE))
    return low, high


class _Parser:
    """One text and how far it is read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.words_left = MAX_WORDS
        self.signs_left = MAX_SIGNS

    def parse(self) -> Query:
        if len(self.text) > MAX_LENGTH:
            self.fail(f"the query has {len(self.text)} characters, {MAX_LENGTH} are the most", MAX_LENGTH)
        if self.is_at_end():
            return All()
        query = self.parse_any(0)
        if not self.is_at_end():
            self.fail("no '(' is open that this ')' could close")
        return query

    def parse_any(self, depth: int) -> Query:
        """Read alternatives between `or`."""
        parts = [self.parse_all(depth)]
        while self.take_keyword("or"):
            parts.append(self.parse_all(depth))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def parse_all(self, depth: int) -> Query:
        """Read parts side by side or between `and`; at least one."""
        parts = [self.parse_one(depth)]
        while self.take_keyword("and") or not self.is_at_end_of_all():
            parts.append(self.parse_one(depth))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def parse_one(self, depth: int) -> Query:
        """Read a part in parentheses, a part after `not`, or a leaf."""
        if depth > MAX_DEPTH:
            self.fail(f"parentheses and 'not' go {MAX_DEPTH} deep at most")
        if self.take_keyword("not"):
            return Not(self.parse_one(depth + 1))
        opened = self.at
        if self.take_sign("("):
            query = self.parse_any(depth + 1)
            if not self.take_sign(")"):
                self.fail("this '(' is never closed: add a ')'", opened)
            return query
        return self.parse_leaf()

    def parse_leaf(self) -> Query:
        if self.is_at_end_of_all() or self.peek(_KEYWORD):
            self.fail("something to search for is missing here; to search for the word and, or, not: put it in quotes")
        start = self.at
        if match := self.take(_FIELD):
            return self.parse_value(match, start)
        if (quoted := self.take_quoted()) is not None:
            self.count_tokens(quoted, start)
            return Phrase(quoted)
        return self.parse_word(start)

    def parse_word(self, start: int) -> Query:
        word = self.take_text("a word")
        if word == "*":
            return All()
        if word.startswith("-"):
            self.fail(f"to leave something out write: not {word[1:]}; to search for it put it in quotes", start)
        if word[0] in "<>=":
            self.fail("to compare write a field and a colon: energy:>12; to search for this put it in quotes", start)
        if sign := _COMPARED.match(word):
            self.fail(f"to compare write {sign[1]}:{word[sign.end(1) :]}; to search for this put it in quotes", start)
        if has_wildcards(word) and not to_tokens(word):
            self.fail(f"{word!r} stands for any word there is: leave it out", start)
        return Word(*self.to_match(word, start))

    def parse_value(self, match: re.Match[str], start: int) -> Query:
        """Read what follows `field:`."""
        quoted, bare = match.groups()
        written = bare if bare is not None else _unescape(quoted)
        field = written if quoted is not None else to_field(written)
        place = Place(start, self.text)
        if self.is_at_end_of_all():
            self.fail(f'a value is missing after {written}: write {written}:value or {written}:"two words"')
        if self.text[self.at] == "(":
            self.fail(f"a field takes one value: write ({written}:this or {written}:that)")
        if field.lower() in set(Instant):
            return self.parse_dates(Instant(field.lower()))
        if field.lower() == Noun.COMPLETE:
            return self.parse_boolean(place)
        if field.lower() == ELEMENTS:
            return self.parse_elements()
        if field.lower() in set(Noun):
            return self.parse_match(field.lower(), place)
        return self.find_range(field, place) or self.parse_match(field, place)

    def parse_match(self, field: str, place: Place) -> FieldMatch:
        start = self.at
        if (quoted := self.take_quoted()) is not None:
            self.count_tokens(quoted, start)
            return FieldMatch(field, quoted, place=place)
        return FieldMatch(field, *self.to_match(self.take_text("a value"), start), place)

    def parse_boolean(self, place: Place) -> FieldMatch:
        start = self.at
        word = self.take_text("true or false")
        if word.lower() not in _BOOLEANS:
            self.fail(f"{word!r} is neither true nor false", start)
        self.count_words(1, start)
        return FieldMatch(Noun.COMPLETE, _BOOLEANS[word.lower()], place=place)

    def parse_elements(self) -> Elements:
        start = self.at
        quoted = self.take_quoted()
        written = self.take_text("a symbol") if quoted is None else quoted
        is_exact = written.startswith("=")
        at = start + is_exact + (quoted is not None)
        symbols = []
        for part in written[is_exact:].split(","):
            symbols.append(self.get_symbol(part.strip(), at))
            at += len(part) + 1
        if len(symbols) > MAX_ELEMENTS:
            self.fail(f"{len(symbols)} elements are asked for at once, {MAX_ELEMENTS} are the most", start)
        self.count_words(1, start)
        return Elements(tuple(dict.fromkeys(symbols)), is_exact)

    def get_symbol(self, written: str, position: int) -> str:
        symbol = find_symbol(written)
        if symbol is None:
            wrong = f"no element has the symbol {written!r}" if written else "a symbol is missing here"
            self.fail(f"{wrong}: write symbols with commas and no blanks between them, {ELEMENTS}:Fe,O", position)
        return symbol

    def parse_dates(self, field: Instant) -> DateRange:
        quoted_at = self.at
        if (quoted := self.take_quoted()) is not None:
            return DateRange(field, *self.parse_period(quoted, quoted_at + 1))
        match = self.take(_DATES)
        if match is None:
            self.fail(f"a date is missing: write {field}:2025-01..2025-03")
        self.count_words(1, match.start())
        if match[0] == "*":
            return DateRange(field)
        operator, written = match.groups()
        first, dots, last = written.partition("..")
        if operator is None and dots:
            return self.parse_date_span(field, first, last, match.start(2))
        return DateRange(field, *to_bounds(operator or "", self.parse_period(written, match.start(2))))

    def parse_date_span(self, field: Instant, first: str, last: str, start: int) -> DateRange:
        if not first and not last:
            self.fail(f"a date is missing: write {field}:2025-01..2025-03, 2025-01.. or ..2025-03", start)
        low = self.parse_period(first, start)[0] if first else None
        high = self.parse_period(last, start + len(first) + 2)[1] if last else None
        if low is not None and high is not None and low >= high:
            self.fail(f"these dates run backwards: write {last}..{first}", start)
        return DateRange(field, low, high)

    def parse_period(self, written: str, position: int) -> tuple[datetime, datetime]:
        period = parse_period(written)
        if period is None:
            self.fail(f"{written!r} is no date: write 2025, 2025-03, 2025-03-31 or 2025-03-31T12:00Z", position)
        return period

    def find_range(self, name: str, place: Place) -> ParameterRange | None:
        """Return the range that a parameter is asked for, or None if what follows is text."""
        start = self.at
        if match := self.take(_COMPARISON):
            self.count_words(1, start)
            return self.to_comparison(name, match, place)
        if (match := self.peek(_SPAN)) and (match[1] or match[3]):
            self.at = match.end()
            self.count_words(1, start)
            return self.to_span(name, match, place)
        if match := self.take(_EQUAL):
            self.count_words(1, start)
            value, margin = self.to_number(match, 1), _half_of_last_digit(match[1])
            return ParameterRange(name, _tidy(value - margin), _tidy(value + margin), match[2], place=place)
        if match := self.take(_NEAR):
            self.count_words(1, start)
            return self.to_near(name, match, place)
        if self.text.startswith("~", start):
            self.fail(f"a number is missing: write {name}:~1.5", start)
        if self.text[start : start + 1] in "<>":
            self.fail(f"a number is missing: write {name}:<100 K or {name}:>=7.1", start)
        return None

    def to_comparison(self, name: str, match: re.Match[str], place: Place) -> ParameterRange:
        operator, unit, value = match[1], match[3], self.to_number(match, 2)
        if operator[0] == "<":
            return ParameterRange(name, None, value, unit, includes_high=operator == "<=", place=place)
        return ParameterRange(name, value, None, unit, includes_low=operator == ">=", place=place)

    def to_span(self, name: str, match: re.Match[str], place: Place) -> ParameterRange:
        low = self.to_number(match, 1) if match[1] else None
        high = self.to_number(match, 3) if match[3] else None
        first_unit, last_unit = match[2], match[4]
        if first_unit and last_unit and first_unit != last_unit:
            self.fail(f"two units: write both bounds in {last_unit}", match.start(2))
        if low is not None and high is not None and low > high:
            self.fail(f"this range runs backwards: write {match[3]}..{match[1]}", match.start())
        return ParameterRange(name, low, high, last_unit or first_unit, place=place)

    def to_near(self, name: str, match: re.Match[str], place: Place) -> ParameterRange:
        value = self.to_number(match, 1)
        if value == 0:
            self.fail(f"nothing is near 0 by a part of it: write {name}:-0.1..0.1", match.start(1))
        return ParameterRange(name, *to_surroundings(value), match[2], place=place)

    def to_number(self, match: re.Match[str], group: int) -> float:
        number = float(match[group])
        if math.isinf(number):
            self.fail(f"{match[group][:20]} is too large for a number", match.start(group))
        return number

    def to_match(self, word: str, start: int) -> tuple[str, Match]:
        """Return a word, without a `~` at its end, and how it is to be held."""
        if word.startswith("~"):
            self.fail("'~' stands at the end of a word, hematite~, or before a number of a parameter", start)
        word = strip_doi_address(word)
        if not word.endswith("~") and not has_wildcards(word):
            self.count_tokens(word, start)
            return word, Match.WORDS
        self.signs_left -= 1
        if self.signs_left < 0:
            self.fail(f"the query has more than {MAX_SIGNS} words with '*', '?' or '~'", start)
        return self.to_fuzzy(word[:-1], start) if word.endswith("~") else self.to_wildcard(word, start)

    def to_fuzzy(self, word: str, start: int) -> tuple[str, Match]:
        if has_wildcards(word):
            self.fail("'~' does not go with '*' or '?': leave one of them out", start)
        self.count_tokens(word, start)
        if not to_distance(to_tokens(word)):
            self.fail(f"'~' stands after one word of {MIN_LENGTH} or more letters (a to z) and digits", start)
        return word, Match.FUZZY

    def to_wildcard(self, word: str, start: int) -> tuple[str, Match]:
        patterns = to_patterns(word)
        free = [pattern for pattern in patterns if has_wildcards(pattern) and get_beginning(pattern) is None]
        if len("".join(free)) > MAX_LETTERS:
            self.fail(f"a word with '*' or '?' in it has {MAX_LETTERS} letters at most: leave some out", start)
        if sum(map("".join(patterns).count, "*?")) > MAX_WILDCARDS:
            self.fail(f"a word has {MAX_WILDCARDS} '*' and '?' at most", start)
        self.count_words(len(patterns), start)
        return word, Match.WILDCARD

    def count_tokens(self, text: str, start: int) -> None:
        tokens = to_tokens(text)
        if not tokens:
            self.fail(f"{text!r} holds no letter and no digit: leave it out", start)
        self.count_words(len(tokens), start)

    def count_words(self, number: int, start: int) -> None:
        self.words_left -= number
        if self.words_left < 0:
            self.fail(f"the query has more than {MAX_WORDS} words", start)

    def take_quoted(self) -> str | None:
        match = self.take(_QUOTED)
        if match is None and self.text.startswith('"', self.at):
            self.fail('this quote is never closed: add a second "')
        return None if match is None else _unescape(match[1])

    def take_text(self, wanted: str) -> str:
        match = self.take(_WORD)
        if match is None:
            self.fail(f"{wanted} is missing here")
        return match[0]

    def take_keyword(self, keyword: str) -> bool:
        match = self.peek(_KEYWORD)
        return match is not None and match[1].lower() == keyword and self.take(_KEYWORD) is not None

    def take_sign(self, sign: str) -> bool:
        self.skip_space()
        taken = self.text.startswith(sign, self.at)
        self.at += len(sign) if taken else 0
        return taken

    def is_at_end(self) -> bool:
        self.skip_space()
        return self.at == len(self.text)

    def is_at_end_of_all(self) -> bool:
        """Whether nothing more can be and-ed here: the end, a `)` or an `or`."""
        keyword = self.peek(_KEYWORD)
        return self.is_at_end() or self.text[self.at] == ")" or (keyword is not None and keyword[1].lower() == "or")

    def peek(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self.skip_space()
        return pattern.match(self.text, self.at)

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = self.peek(pattern)
        if match is not None:
            self.at = match.end()
        return match

    def skip_space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        self.at = self.at if match is None else match.end()

    def fail(self, message: str, position: int | None = None) -> NoReturn:
        raise InvalidQueryError(message, self.at if position is None else position, self.text)


def _unescape(quoted: str) -> str:
    r"""Return what stands in quotes: `\"` is a quote, `\\` a backslash."""
    return re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)


def _tidy(bound: float) -> float:
    """Return a bound that was reckoned; its last digit is noise."""
    return float(f"{bound:.15g}")


def _half_of_last_digit(number: str) -> float:
    """Return half a unit of the last digit of the number written out: 0.05 for `12.4`, 0.5 for `100` and `1e2`."""
    mantissa, _, exponent = number.lower().partition("e")
    last_place = int(exponent or 0) - len(mantissa.partition(".")[2])
    return float(f"5e{min(last_place, 0) - 1}")
