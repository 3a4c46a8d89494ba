"""Transactions that meet, servers that go away, addresses that are none: on the real databases."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, sessionmaker

from ingest.catalogue import database
from ingest.catalogue.database import (
    LOCK_SECONDS,
    STATEMENT_SECONDS,
    DatabaseAddressError,
    insert_plain,
    make_engine,
    make_read_sessions,
    run_transaction,
)
from ingest.catalogue.errors import UnavailableError
from ingest.catalogue.model import Datafile, Facility
from tests.servers import on_both_databases, to_libpq

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.entities import Catalogue

on_postgresql = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
PATIENCE_SECONDS = 60


def add_facilities(catalogue: Catalogue, *names: str) -> None:
    with catalogue.sessions.begin() as session:
        session.add_all(Facility(name=name) for name in names)


def describe(session: Session, name: str, word: str) -> None:
    session.execute(update(Facility).where(Facility.name == name).values(description=word))


def read_descriptions(catalogue: Catalogue) -> dict[str, str | None]:
    with catalogue.sessions() as session:
        return {row.name: row.description for row in session.scalars(select(Facility))}


def run_together(*works: Callable[[], object]) -> None:
    """Do all at once; what one raises is raised here."""
    errors: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (raised below)
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


@on_postgresql
def test_of_two_that_wait_for_each_other_one_begins_anew(catalogue: Catalogue) -> None:
    add_facilities(catalogue, "a", "b")
    both_hold_one = threading.Barrier(2)
    tries: list[str] = []

    def work(first: str, second: str) -> None:
        def change(session: Session) -> None:
            tries.append(first)
            describe(session, first, f"by {first}")
            if tries.count(first) == 1:
                both_hold_one.wait(PATIENCE_SECONDS)
            describe(session, second, f"by {first}")

        run_transaction(catalogue.sessions, change)

    run_together(lambda: work("a", "b"), lambda: work("b", "a"))
    assert len(tries) == 3
    (last,) = set(read_descriptions(catalogue).values())
    assert last == f"by {tries[-1]}"


@on_postgresql
def test_what_cannot_be_put_in_a_row_begins_anew(catalogue: Catalogue) -> None:
    add_facilities(catalogue, "a", "b")
    engine = catalogue.engine.execution_options(isolation_level="SERIALIZABLE")
    sessions = sessionmaker(engine, expire_on_commit=False)
    both_have_read = threading.Barrier(2)
    tries: list[str] = []

    def work(name: str) -> None:
        def change(session: Session) -> None:
            tries.append(name)
            count = len(session.scalars(select(Facility.id).where(Facility.description.is_not(None))).all())
            if tries.count(name) == 1:
                both_have_read.wait(PATIENCE_SECONDS)
            describe(session, name, f"number {count}")

        run_transaction(sessions, change)

    run_together(lambda: work("a"), lambda: work("b"))
    assert sorted(map(str, read_descriptions(catalogue).values())) == ["number 0", "number 1"]


@on_postgresql
def test_the_same_row_made_twice_at_once_is_looked_for_again(catalogue: Catalogue) -> None:
    both_look = threading.Barrier(2)
    tries: list[int] = []

    def change(session: Session) -> int:
        tries.append(1)
        found = session.scalar(select(Facility.id).where(Facility.name == "new"))
        if len(tries) <= 2:
            both_look.wait(PATIENCE_SECONDS)
        if found is None:
            facility = Facility(name="new")
            session.add(facility)
            session.flush()
            found = facility.id
        return found

    ids: list[int] = []
    run_together(*[lambda: ids.append(run_transaction(catalogue.sessions, change))] * 2)
    assert len(set(ids)) == 1
    assert len(tries) == 3


@on_postgresql
def test_who_meets_others_again_and_again_is_told_so(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.time, "sleep", lambda _seconds: None)
    tries: list[int] = []

    def collide(session: Session) -> None:
        tries.append(1)
        session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'collided' USING ERRCODE = '40001'; END $$"))

    with pytest.raises(UnavailableError, match="too busy: serialization failure in 8 tries"):
        run_transaction(catalogue.sessions, collide)
    assert len(tries) == database.TRIES


@on_both_databases
def test_what_is_wrong_with_a_statement_is_nothing_to_wait_for(catalogue: Catalogue) -> None:
    tries: list[int] = []

    def ask(session: Session) -> None:
        tries.append(1)
        session.execute(text("SELECT no_such_column FROM facility"))

    with pytest.raises(DBAPIError, match="no_such_column"):
        run_transaction(catalogue.sessions, ask)
    assert tries == [1]


@on_postgresql
def test_limits_of_time_are_set_on_every_connection(catalogue: Catalogue) -> None:
    for sessions in (catalogue.sessions, make_read_sessions(catalogue.engine)):
        with sessions() as session:
            assert session.scalar(text("SHOW statement_timeout")) == f"{STATEMENT_SECONDS // 60}min"
            assert session.scalar(text("SHOW lock_timeout")) == f"{LOCK_SECONDS}s"
            assert session.scalar(text("SHOW idle_in_transaction_session_timeout")) == "2min"


@on_postgresql
def test_a_statement_that_takes_too_long_is_ended(catalogue: Catalogue) -> None:
    with catalogue.sessions() as session:
        session.execute(text("SET LOCAL statement_timeout = 20"))
        with pytest.raises(UnavailableError, match="statement timeout"):
            session.execute(text("SELECT pg_sleep(60)"))


@on_both_databases
def test_who_waits_too_long_for_a_lock_is_told_so(catalogue: Catalogue) -> None:
    add_facilities(catalogue, "a")
    is_postgresql = catalogue.engine.dialect.name == "postgresql"
    with catalogue.sessions.begin() as session, catalogue.engine.connect() as other:
        describe(session, "a", "held")
        other.execute(text("SET LOCAL lock_timeout = 20" if is_postgresql else "PRAGMA busy_timeout = 20"))
        with pytest.raises(UnavailableError, match=r"lock timeout|database is locked"):
            other.execute(text("UPDATE facility SET description = 'mine'"))
    assert read_descriptions(catalogue) == {"a": "held"}


@on_postgresql
def test_a_transaction_that_is_idle_too_long_is_ended_and_the_next_one_goes_well(catalogue: Catalogue) -> None:
    def linger(session: Session) -> None:
        session.execute(text("SET LOCAL idle_in_transaction_session_timeout = 20"))
        time.sleep(0.5)
        session.add(Facility(name="late"))

    with pytest.raises(UnavailableError, match="idle-in-transaction"):
        run_transaction(catalogue.sessions, linger)
    add_facilities(catalogue, "next")
    assert read_descriptions(catalogue) == {"next": None}


def read_process(session: Session) -> int:
    """Return the process of the server that serves this session."""
    return int(session.scalar(text("SELECT pg_backend_pid()")) or 0)


def end_process(catalogue: Catalogue, process: int) -> None:
    """End a connection, as an operator or a restart would."""
    with catalogue.engine.connect() as other:
        assert other.execute(text("SELECT pg_terminate_backend(:process, 60000)"), {"process": process}).scalar()


@on_postgresql
def test_a_connection_that_is_lost_at_work_is_told_and_the_next_one_goes_well(catalogue: Catalogue) -> None:
    def lose(session: Session) -> None:
        session.add(Facility(name="lost"))
        session.flush()
        end_process(catalogue, read_process(session))

    with pytest.raises(UnavailableError, match="cannot be used now"):
        run_transaction(catalogue.sessions, lose)
    add_facilities(catalogue, "next")
    assert read_descriptions(catalogue) == {"next": None}


@on_postgresql
def test_connections_that_were_lost_while_nobody_used_them_are_not_missed(catalogue: Catalogue) -> None:
    with catalogue.sessions() as one, catalogue.sessions() as other:
        processes = [read_process(one), read_process(other)]
    with psycopg.connect(to_libpq(str(catalogue.settings.database_url)), autocommit=True) as server:
        for process in processes:
            assert server.execute("SELECT pg_terminate_backend(%s, 60000)", [process]).fetchone() == (True,)
    with catalogue.sessions() as one, catalogue.sessions() as other:
        assert {read_process(one), read_process(other)}.isdisjoint(processes)


COLUMNS = ("dataset_id", "ordinal", "name", "file_size", "mtime_ns", "is_vanished")


@on_postgresql
def test_a_connection_that_is_lost_among_rows_is_told(catalogue: Catalogue) -> None:
    def write(process: int) -> Iterator[tuple[Any, ...]]:
        for number in range(200_000):
            if number == 100:
                end_process(catalogue, process)
            yield 1, number, f"{number}.h5", 1, 1, False

    def insert(session: Session) -> None:
        insert_plain(session, Datafile, COLUMNS, write(read_process(session)))

    with pytest.raises(UnavailableError, match="cannot be used now"):
        run_transaction(catalogue.sessions, insert)
    with catalogue.sessions() as session:
        assert session.scalar(select(Datafile.ordinal).limit(1)) is None


@on_both_databases
def test_rows_that_cannot_be_are_no_trouble_of_the_database(catalogue: Catalogue) -> None:
    rows = [(1, 1, "a.h5", 1, 1, False), (1, 1, "b.h5", 1, 1, None)]
    with pytest.raises(DBAPIError, match="is_vanished"):
        run_transaction(catalogue.sessions, lambda session: insert_plain(session, Datafile, COLUMNS, rows))


@on_both_databases
def test_a_reader_sees_the_moment_at_which_it_began(catalogue: Catalogue) -> None:
    add_facilities(catalogue, "a")
    with make_read_sessions(catalogue.engine)() as reader:
        assert len(reader.scalars(select(Facility.name)).all()) == 1
        add_facilities(catalogue, "b")
        assert len(reader.scalars(select(Facility.name)).all()) == 1
    assert read_descriptions(catalogue).keys() == {"a", "b"}


@on_postgresql
def test_a_reader_cannot_write(catalogue: Catalogue) -> None:
    with make_read_sessions(catalogue.engine)() as reader, pytest.raises(DBAPIError, match="read-only transaction"):
        describe(reader, "a", "mine")


@on_postgresql
def test_texts_are_in_the_order_of_their_bytes_whatever_the_locale(catalogue: Catalogue) -> None:
    words = ["b", "B", "a", "A", "ä", "Z", "_", "-a", "a b", "a-b", "ab", "é", "ß", "😀", "\uffff", " "]
    add_facilities(catalogue, *words)
    with catalogue.sessions() as session:
        assert session.scalar(text("SELECT 'a' < 'B'")), "the database's own order is that of people"
        assert list(session.scalars(select(Facility.name).order_by(Facility.name))) == sorted(words, key=str.encode)
        assert session.scalar(select(Facility.name).where(Facility.name > "Z").order_by(Facility.name)) == "_"


@pytest.mark.parametrize(
    "address",
    [
        *("", "catalogue", "/data/catalogue.sqlite", "sqlite://", "mysql://a:secret@b/c", "oracle+nothing://a/b"),
        *("postgresql+asyncpg://a:secret@b/c", "postgresql+psycopg2://a:secret@b/c", "postgresql://a:secret@b:port/c"),
        *("postgresql://a:secret@b", "redis://a:secret@b/0"),
    ],
)
def test_an_address_of_no_database_of_ours_is_told_without_its_password(address: str) -> None:
    with pytest.raises(DatabaseAddressError, match=r"postgresql\+psycopg://user:password@host") as raised:
        make_engine(address)
    assert "secret" not in str(raised.value)


def test_a_server_that_is_not_there_is_told_in_one_line_without_its_password() -> None:
    engine = make_engine("postgresql://nxcat:secret@127.0.0.1:1/catalogue")
    with pytest.raises(UnavailableError, match="see that it runs, and that NXCAT_DATABASE_URL names it") as raised:
        engine.connect()
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)
