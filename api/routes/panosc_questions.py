"""What the address of a request to PaNOSC's search API asks: JSON, or LoopBack's `filter[where][title]=...`."""

import re
from dataclasses import replace
from typing import Any, Final

from fastapi import Request

from ingest.catalogue.panosc.errors import InvalidFilterError
from ingest.catalogue.panosc.request import Filter, Where, parse_filter, parse_where, to_filter, to_where

_PLACES: Final = re.compile(r"\[([^\[\]]*)\]")
_NUMBER: Final = re.compile(r"[0-9]{1,9}")
_MAX_PLACES: Final = 16
_MAX_PARTS: Final = 256


def to_asked_filter(request: Request, model: str) -> Filter:
    """Return what is asked of the records of the model; free words may stand beside the filter or within it.

    Raises InvalidFilterError.
    """
    nested = _to_nested(request, "filter")
    asked = parse_filter(_get_text(request, "filter"), model) if nested is None else to_filter(nested, model)
    words = _get_text(request, "query")
    return asked if asked.query or not words else replace(asked, query=to_filter({"query": words}, model).query)


def to_asked_where(request: Request, model: str) -> Where | None:
    """Return the condition that is asked for. Raises InvalidFilterError."""
    nested = _to_nested(request, "where")
    return parse_where(_get_text(request, "where"), model) if nested is None else to_where(nested, model)


def _get_text(request: Request, name: str) -> str | None:
    given = request.query_params.getlist(name)
    return given[-1] if given else None


def _to_nested(request: Request, name: str) -> Any:
    """Return what the parameters `name[..][..]=value` build together; None if there is none of them."""
    parts = [(key, value) for key, value in request.query_params.multi_items() if key.startswith(f"{name}[")]
    if not parts:
        return None
    if len(parts) > _MAX_PARTS:
        raise InvalidFilterError(f"An address has at most {_MAX_PARTS} parts of a filter")
    built: dict[str, Any] = {}
    for key, value in parts:
        places = _PLACES.findall(key)
        if key != name + "".join(f"[{place}]" for place in places) or len(places) > _MAX_PLACES:
            raise InvalidFilterError("Value is not an object.")
        _put(built, places, value)
    return _to_lists(built)


def _put(built: dict[str, Any], places: list[str], value: str) -> None:
    """Leave the value at its place; an empty one is the next that is free."""
    for place in places[:-1]:
        inner = built.setdefault(place or str(len(built)), {})
        if not isinstance(inner, dict):
            raise InvalidFilterError("Value is not an object.")
        built = inner
    built[places[-1] or str(len(built))] = value


def _to_lists(built: Any) -> Any:
    """Return it with a list for each of its parts whose places are numbers alone."""
    if not isinstance(built, dict):
        return built
    inner = {place: _to_lists(each) for place, each in built.items()}
    if not all(_NUMBER.fullmatch(place) for place in inner):
        return inner
    return [inner[place] for place in sorted(inner, key=int)]
