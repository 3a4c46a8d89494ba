"""The database goes away in the middle of a crawl: one line says so, and the next crawl completes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from facility.postgresql import FAST, PostgreSql
from tests.robustness.processes import Catalogue, write_masters
from tests.servers import empty_database

if TYPE_CHECKING:
    from pathlib import Path

MASTERS = 60


def test_a_crawl_whose_database_goes_away_says_so_and_the_next_one_completes(tmp_path: Path, root: Path) -> None:
    write_masters(root, MASTERS)
    server = PostgreSql(FAST)
    try:
        with empty_database(server.address) as address:
            catalogue = Catalogue(tmp_path / "data", address)
            catalogue.run("migrate")
            crawl = catalogue.start("crawl", root)
            while catalogue.ask("SELECT count(*) FROM dataset") < [(MASTERS // 3,)]:
                assert crawl.poll() is None
                time.sleep(0.005)
            server.kill()
            _, complaint = crawl.communicate()
            assert crawl.returncode == 1
            assert complaint.splitlines()[-1].startswith("Error: the database cannot be used now")
            assert "Traceback" not in complaint
            catalogue.assert_no_process_is_left()
            refused = catalogue.start("status")
            told = refused.communicate()[1].splitlines()
            assert (refused.returncode, len(told)) == (1, 1)
            assert "see that it runs, and that NXCAT_DATABASE_URL names it" in told[0]
            server.restart()
            catalogue.run("crawl", root)
            catalogue.assert_whole(MASTERS)
            assert f"all its {MASTERS} datasets" in catalogue.run("verify")
    finally:
        server.stop()
