"""What two mappings say differently: one change for each field, counted over many datasets."""

from __future__ import annotations

from ingest.mapping.differences import EXAMPLES, ChangeTable, Field, Said, Statement, find_changes

TITLE = Field("scan", "attribute", "title")
FLUX = Field("dataset", "parameter", "flux")
TECHNIQUE = Field("dataset", "attribute", "technique")


def said(**by_place: str) -> dict[str, Said]:
    return {place: Said(text) for place, text in by_place.items()}


def changes(before: Statement, after: Statement) -> list[tuple[str, str, str, str | None, str | None]]:
    return [
        (one.field.name, one.kind, one.place, one.before and one.before.text, one.after and one.after.text)
        for one in find_changes(before, after)
    ]


def test_what_is_the_same_is_no_change() -> None:
    assert find_changes({TITLE: said(a="x")}, {TITLE: said(a="x")}) == []
    assert find_changes({}, {}) == []
    assert find_changes({TITLE: {}}, {}) == []


def test_a_field_is_gained_lost_or_changed() -> None:
    before = {TITLE: said(a="x"), FLUX: said(a="1")}
    after = {TITLE: said(a="y"), TECHNIQUE: said(xrd="xrd")}
    assert changes(before, after) == [
        ("technique", "gained", "xrd", None, "xrd"),
        ("flux", "lost", "a", "1", None),
        ("title", "changed", "a", "x", "y"),
    ]


def test_a_scan_more_changes_the_field_and_is_shown() -> None:
    assert changes({TITLE: said(a="x")}, {TITLE: said(a="x", b="y")}) == [("title", "changed", "b", None, "y")]
    assert changes({TITLE: said(a="x", b="y")}, {TITLE: said(a="x")}) == [("title", "changed", "b", "y", None)]


def test_one_item_in_place_of_another_is_shown_as_such() -> None:
    before, after = {TECHNIQUE: said(saxs="saxs", xrd="xrd")}, {TECHNIQUE: said(tomo="tomo", xrd="xrd")}
    assert changes(before, after) == [("technique", "changed", "tomo", "saxs", "tomo")]


def test_scans_are_compared_each_with_itself() -> None:
    assert changes({TITLE: said(a="x")}, {TITLE: said(b="y")}) == [("title", "changed", "a", "x", None)]


def test_another_path_or_another_remark_is_a_change() -> None:
    one = Said("x", "/1.1/title", "read")
    for other in (one._replace(path="/1.1/name"), one._replace(remark="inferred")):
        assert [c.kind for c in find_changes({TITLE: {"a": one}}, {TITLE: {"a": other}})] == ["changed"]


def test_datasets_are_counted_by_field_with_few_examples() -> None:
    table = ChangeTable()
    for number in range(5):
        table.add(number, find_changes({TITLE: said(a="x")}, {TITLE: said(a=str(number))}))
    table.add(5, find_changes({TITLE: said(a="x")}, {FLUX: said(a="1")}))
    rows = table.to_rows()
    assert [(row.field, row.gained, row.lost, row.changed) for row in rows] == [(FLUX, 1, 0, 0), (TITLE, 0, 1, 5)]
    assert [(one.dataset_id, one.after and one.after.text) for one in rows[1].examples] == [(0, "0"), (1, "1")]
    assert len(rows[1].examples) == EXAMPLES
