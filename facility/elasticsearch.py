"""Elasticsearch 8.19: one node out of the parts that Maven Central has, fetched once.

No registry has the whole server: what its modules bring is not there (scripts, ingest, security, most analysers, and
`GET /`); what the catalogue asks for is in the core.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError
from urllib.request import urlopen

from facility.server import Program, Server, ServerFailedError, find_free_port, get_program, make_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION: Final = "8.19.21"
_PARTS: Final = Path(__file__).with_name("elasticsearch_node")
_PLUGIN: Final = "transport-netty4"


class Elasticsearch(Server):
    """A single node; `heap` is as Java writes it: 512 MB refuse bulk loads, 1 GB takes what tests do."""

    def __init__(self, settings: Mapping[str, str], *, heap: str = "1g", owner: int | None = None) -> None:
        java = get_program("java", "openjdk-17-jdk-headless")
        home = find_home()
        folder, port = make_folder("elasticsearch"), find_free_port()
        shutil.copytree(home / "config", folder / "config")
        for name in ("modules", "plugins"):
            (folder / name).symlink_to(home / name)
        own = {
            "path.home": str(folder),
            "discovery.type": "single-node",
            "network.host": "127.0.0.1",
            "http.port": str(port),
            "transport.port": str(find_free_port()),
            "cluster.routing.allocation.disk.threshold_enabled": "false",
        }
        options = [
            f"-Xmx{heap}",
            f"-Des.path.home={folder}",
            "-Des.distribution.type=tar",
            f"-Djava.io.tmpdir={folder}",
        ]
        words = [f"{name}={value}" for name, value in (own | dict(settings)).items()]
        command = [java, *options, "-cp", f"{home}/classes:{home}/lib/*", "CoreNode", *words]
        address = f"http://127.0.0.1:{port}"
        super().__init__(address, folder, Program(command), lambda: _answers(address), owner=owner)


def find_home() -> Path:
    """Return the folder with the node's parts, fetched and built if nobody did so before."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nxcat"
    home = cache / f"elasticsearch-{VERSION}"
    if not home.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with (cache / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not home.is_dir():
                _build_home(home)
    return home


def _build_home(home: Path) -> None:
    maven, javac = get_program("mvn", "maven"), get_program("javac", "openjdk-17-jdk-headless")
    with tempfile.TemporaryDirectory(dir=home.parent) as building:
        new = Path(building) / "home"
        for name in ("lib", f"modules/{_PLUGIN}", "config", "plugins", "classes"):
            (new / name).mkdir(parents=True)
        fetch = [
            "--batch-mode",
            "--strict-checksums",
            "--file",
            str(_PARTS / "pom.xml"),
            "dependency:copy-dependencies",
        ]
        _run([maven, *fetch, f"-Delasticsearch.version={VERSION}", f"-DoutputDirectory={new / 'lib'}"])
        for jar in (*(new / "lib").glob(f"{_PLUGIN}-*.jar"), *(new / "lib").glob("netty-*.jar")):
            jar.rename(new / "modules" / _PLUGIN / jar.name)
        descriptor = (_PARTS / "plugin-descriptor.properties").read_text().replace("@version@", VERSION)
        (new / "modules" / _PLUGIN / "plugin-descriptor.properties").write_text(descriptor)
        shutil.copy(_PARTS / "log4j2.properties", new / "config")
        _run([javac, "-cp", f"{new}/lib/*", "-d", str(new / "classes"), str(_PARTS / "CoreNode.java")])
        new.rename(home)


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ServerFailedError(Path(command[0]).name, done.stdout + done.stderr)


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/_cluster/health?wait_for_status=yellow&timeout=1s", timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)  # noqa: PLR2004
    except HTTPError:
        return False
