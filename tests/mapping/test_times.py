from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mapping.times import to_moment, to_second_pass

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("text", "instant", "zone_known", "written"),
    [
        ("2009-09-13T20:55:37", "2009-09-13T18:55:37", False, "2009-09-13T20:55:37"),
        ("2009-09-13 20:55:37", "2009-09-13T18:55:37", False, "2009-09-13T20:55:37"),
        ("2008-11-18T12:41:20+0100", "2008-11-18T11:41:20", True, "2008-11-18T12:41:20+01:00"),
        ("2015-02-28T08:15:30-5:00", "2015-02-28T13:15:30", True, "2015-02-28T08:15:30-05:00"),
        ("2008-11-18T12:41:20-06", "2008-11-18T18:41:20", True, "2008-11-18T12:41:20-06:00"),
        ("2024-10-28T09:32:35Z", "2024-10-28T09:32:35", True, "2024-10-28T09:32:35+00:00"),
        ("2019-05-28T17:56:40.351+01:00", "2019-05-28T16:56:40.351000", True, "2019-05-28T17:56:40.351000+01:00"),
        ("2011-03-25T13:43:41.382972", "2011-03-25T12:43:41.382972", False, "2011-03-25T13:43:41.382972"),
        ("2011-03-25T13:43:41.382972999", "2011-03-25T12:43:41.382972", False, "2011-03-25T13:43:41.382972"),
        ("2015-05-06T12:00:00.", "2015-05-06T10:00:00", False, "2015-05-06T12:00:00"),
        ("18-Sep-21 22:04:08", "2021-09-18T20:04:08", False, "2021-09-18T22:04:08"),
        ("18-Sep-98 22:04:08", "1998-09-18T20:04:08", False, "1998-09-18T22:04:08"),
        ("2022/12/12 18:49:28", "2022-12-12T17:49:28", False, "2022-12-12T18:49:28"),
        ("Wed Feb 03 16:51:31 2016", "2016-02-03T15:51:31", False, "2016-02-03T16:51:31"),
        ("20101217T133945", "2010-12-17T12:39:45", False, "2010-12-17T13:39:45"),
        ("2019-11-25T12:25:21+10:00}", "2019-11-25T02:25:21", True, "2019-11-25T12:25:21+10:00"),
        ("2005-05-27", "2005-05-26T22:00:00", False, "2005-05-27"),
        ("04/19/2022 14:41:59", "2022-04-19T12:41:59", False, "2022-04-19T14:41:59"),
        ("19/04/2022 14:41:59", "2022-04-19T12:41:59", False, "2022-04-19T14:41:59"),
        ("2019-05-28T17:56:40+01:00[Europe/London]", "2019-05-28T16:56:40", True, "2019-05-28T17:56:40+01:00"),
        ("Wed, 03 Feb 2016 16:51:31 +0100", "2016-02-03T15:51:31", True, "2016-02-03T16:51:31+01:00"),
        ("Wed Feb  3 16:51:31 CET 2016", "2016-02-03T15:51:31", True, "2016-02-03T16:51:31+01:00"),
        ("2016-07-03 16:51:31 CEST", "2016-07-03T14:51:31", True, "2016-07-03T16:51:31+02:00"),
        ("2016-07-03 16:51:31 UTC", "2016-07-03T16:51:31", True, "2016-07-03T16:51:31+00:00"),
        ("2016-07-03 16:51:31 UTC+02:00", "2016-07-03T14:51:31", True, "2016-07-03T16:51:31+02:00"),
        ("2016-07-03T16:51:31[America/New_York]", "2016-07-03T20:51:31", True, "2016-07-03T16:51:31-04:00"),
        ("03.07.2016 16:51:31", "2016-07-03T14:51:31", False, "2016-07-03T16:51:31"),
        ("2016.07.03 16:51:31", "2016-07-03T14:51:31", False, "2016-07-03T16:51:31"),
        # A leap second, and the last one that can be written.
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00", True, "2017-01-01T00:00:00+00:00"),
        ("2099-12-31T23:59:59-14:00", "2100-01-01T13:59:59", True, "2099-12-31T23:59:59-14:00"),
        # The clock shows it twice: the first pass is taken. The clock never shows it: the hour before is meant.
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00", False, "2026-10-25T02:30:00"),
        ("2026-10-25T02:30:00 CET", "2026-10-25T01:30:00", True, "2026-10-25T02:30:00+01:00"),
        ("2026-03-29T02:30:00", "2026-03-29T01:30:00", False, "2026-03-29T02:30:00"),
        (1454539891500, "2016-02-03T22:51:31.500000", True, "2016-02-03T22:51:31.500000+00:00"),
        ("1454539891500", "2016-02-03T22:51:31.500000", True, "2016-02-03T22:51:31.500000+00:00"),
        (1454539891500000.0, "2016-02-03T22:51:31.500000", True, "2016-02-03T22:51:31.500000+00:00"),
        (1454539891500000000, "2016-02-03T22:51:31.500000", True, "2016-02-03T22:51:31.500000+00:00"),
        (1454539891.5, "2016-02-03T22:51:31.500000", True, "2016-02-03T22:51:31.500000+00:00"),
        ("1454539891", "2016-02-03T22:51:31", True, "2016-02-03T22:51:31+00:00"),
    ],
)
def test_forms_of_time(text: str | float, instant: str, zone_known: bool, written: str) -> None:
    moment = to_moment(text, PARIS)
    assert moment.instant == datetime.fromisoformat(instant).replace(tzinfo=UTC)
    assert (moment.zone_known, moment.written) == (zone_known, written)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "0000-00-00",
        "2009-13-45 00:00:00",
        "1970-01-01T00:00:00Z",
        "12:00:00",
        5,
        -1.0,
        7e78,
        "2009-01-01T25:00:00",
        "04/05/2022 14:41:59",
        "13/19/2022 14:41:59",
        "9" * 500,
        "2016-07-03 16:51:31 EST",
        "9999-12-31T23:59:60",
        "0001-01-01T00:00:00+14:00",
        # Seconds since 1904.
        3537384691.5,
        "3537384691",
        20101217133945,
        float("nan"),
        float("inf"),
    ],
)
def test_what_is_no_time(text: str | float) -> None:
    assert to_moment(text, PARIS) is None


def test_time_of_day_needs_a_day() -> None:
    assert to_moment("09:56:23", PARIS, day=date(2008, 12, 24)).written == "2008-12-24T09:56:23"


@pytest.mark.parametrize(
    ("zone_text", "hour", "known"),
    [("-0500", 17, True), ("America/New_York", 16, True), ("../../etc/passwd", 10, False), ("nowhere", 10, False)],
)
def test_zone_told_beside_the_time(zone_text: str, hour: int, known: bool) -> None:
    moment = to_moment("2015-05-06T12:00:00.", PARIS, zone_text=zone_text)
    assert (moment.instant.hour, moment.zone_known) == (hour, known)


def test_zone_in_the_text_goes_first() -> None:
    assert to_moment("2015-05-06T12:00:00Z", PARIS, zone_text="-0500").instant.hour == 12


def test_the_second_pass_of_an_hour_that_the_clock_shows_twice() -> None:
    first = to_moment("2026-10-25T02:30:00", PARIS)
    second = to_second_pass(first, PARIS)
    assert (second.instant - first.instant, second.written, second.zone_known) == (
        timedelta(hours=1),
        first.written,
        False,
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-25T03:00:00",
        "2026-10-25T01:59:59",
        "2026-10-25T02:30:00+02:00",
        "2026-03-29T02:30:00",
        "2026-10-25",
        "2026-06-25T02:30:00",
    ],
)
def test_other_times_have_one_pass(text: str) -> None:
    assert to_second_pass(to_moment(text, PARIS), PARIS) is None


@given(st.text(max_size=40) | st.from_regex(r"[0-9]{1,4}[-/. ][0-9A-Za-z]{1,4}[-/. ][0-9]{1,4}[T ][0-9:.+Z -]{1,20}"))
def test_no_text_breaks_the_parser(text: str) -> None:
    moment = to_moment(text, PARIS, day=date(2020, 1, 1), zone_text=text)
    assert moment is None or moment.instant.tzinfo is UTC


ZONES = st.sampled_from(["Europe/Paris", "America/Chicago", "Australia/Melbourne", "Asia/Tokyo", "Europe/London"])


SHOWN = st.datetimes(datetime(1980, 1, 1), datetime(2057, 1, 1))  # noqa: DTZ001 - hypothesis wants bare ones


@given(SHOWN, ZONES)
def test_what_a_clock_shows_is_understood_in_its_zone(shown: datetime, name: str) -> None:
    """Each instant: as ISO 8601 with its offset, and as one of the two passes of the clock without."""
    zone = ZoneInfo(name)
    instant = shown.replace(tzinfo=UTC)
    local = instant.astimezone(zone)
    assert to_moment(local.isoformat(), zone).instant == instant
    bare = to_moment(local.replace(tzinfo=None).isoformat(), zone)
    second = to_second_pass(bare, zone)
    assert instant in {bare.instant, second.instant if second else None}
