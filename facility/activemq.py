"""ActiveMQ classic, from Debian's package: the acquisition's broker, spoken to by STOMP."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Final

from facility.server import Program, Server, ServerMissingError, find_free_port, get_program, make_folder

_HOME: Final = Path("/usr/share/activemq")
_PARTS: Final = Path(__file__).with_name("broker")


class ActiveMq(Server):
    """A broker of its own that keeps persistent messages; `address` is where it speaks STOMP, to anybody."""

    def __init__(self, *, owner: int | None = None) -> None:
        java = get_program("java", "openjdk-17-jdk-headless")
        starter = _HOME / "bin/activemq.jar"
        if not starter.exists():
            raise ServerMissingError("activemq", "activemq")
        folder, port = make_folder("activemq"), find_free_port()
        shutil.copytree(_PARTS, folder / "conf")
        places = {"home": _HOME, "base": folder, "conf": folder / "conf", "data": folder / "data"}
        options = ["-Xmx256m", f"-Dnxcat.stomp.port={port}", f"-Djava.io.tmpdir={folder}"]
        options += [f"-Dlog4j.configuration=file:{folder}/conf/log4j.properties"]
        options += [f"-Dactivemq.{name}={place}" for name, place in places.items()]
        start = ["-jar", str(starter), "start", f"xbean:file:{folder}/conf/activemq.xml"]
        super().__init__(
            f"stomp://127.0.0.1:{port}", folder, Program([java, *options, *start]), lambda: _answers(port), owner=owner
        )


def _answers(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(b"CONNECT\naccept-version:1.2\nhost:localhost\n\n\0")
        return connection.recv(100).startswith(b"CONNECTED")
