"""Keys of links: the newest signs, an older one goes when the last of its links has expired."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ingest.catalogue.errors import UnavailableError
from ingest.catalogue.link_keys import (
    LONGEST_LIFE,
    ensure_link_key,
    find_link_key,
    get_signing_key,
    list_link_keys,
    rotate_link_keys,
)
from tests.entities import PAST

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MOMENT = timedelta(microseconds=1)


def list_ids(session: Session) -> list[int]:
    return [key.id for key in list_link_keys(session)]


def test_first_key_is_made_once(session: Session) -> None:
    with pytest.raises(UnavailableError, match="nxcat link-key rotate"):
        get_signing_key(session)
    ensure_link_key(session, PAST)
    key = get_signing_key(session)
    ensure_link_key(session, PAST + LONGEST_LIFE)
    assert list_ids(session) == [key.id]
    assert (len(key.secret), key.created_at) == (32, PAST)


def test_rotation_makes_the_first_key_where_there_is_none(session: Session) -> None:
    rotation = rotate_link_keys(session, PAST)
    assert (rotation.deleted, list_ids(session)) == ((), [rotation.key_id])


def test_newest_key_signs_and_all_are_found(session: Session) -> None:
    made = [rotate_link_keys(session, PAST).key_id for _ in range(3)]
    assert get_signing_key(session).id == made[-1]
    assert list_ids(session) == made[::-1]
    secrets = set()
    for key_id in made:
        key = find_link_key(session, key_id, PAST)
        assert key is not None
        secrets.add(key.secret)
    assert len(secrets) == 3
    assert [find_link_key(session, key_id, PAST) for key_id in (0, -1, made[-1] + 1, 2**63, 10**30)] == [None] * 5


def test_key_is_deleted_when_what_it_signed_last_has_expired(session: Session) -> None:
    """What counts is when it ceased to sign, which is when the next one was made: not how old it is itself."""
    first = rotate_link_keys(session, PAST).key_id
    replaced_at = PAST + timedelta(days=30)
    second = rotate_link_keys(session, replaced_at).key_id
    assert list_ids(session) == [second, first]
    third = rotate_link_keys(session, replaced_at + LONGEST_LIFE - MOMENT)
    assert (third.deleted, list_ids(session)) == ((), [third.key_id, second, first])
    fourth = rotate_link_keys(session, replaced_at + LONGEST_LIFE)
    assert (fourth.deleted, list_ids(session)) == ((first,), [fourth.key_id, third.key_id, second])


def test_key_that_is_not_deleted_yet_checks_for_a_day_and_no_longer(session: Session) -> None:
    """A stolen one would else be good for links that end in a hundred years, until somebody rotates again."""
    old = rotate_link_keys(session, PAST).key_id
    replaced_at = PAST + timedelta(days=30)
    new = rotate_link_keys(session, replaced_at).key_id
    assert find_link_key(session, old, replaced_at + LONGEST_LIFE - MOMENT) is not None
    assert find_link_key(session, old, replaced_at + LONGEST_LIFE) is None
    assert find_link_key(session, new, replaced_at + 100 * LONGEST_LIFE) is not None
    rotate_link_keys(session, replaced_at + LONGEST_LIFE / 2)
    assert find_link_key(session, old, replaced_at + LONGEST_LIFE) is None


def test_number_of_a_key_that_is_gone_is_not_given_again(session: Session) -> None:
    numbers = [rotate_link_keys(session, PAST + number * 2 * LONGEST_LIFE).key_id for number in range(4)]
    assert len(set(numbers)) == 4
