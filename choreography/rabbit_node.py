"""A private RabbitMQ node as a child process: started, killed, restarted and removed with the run.

Implements ports.Disturbance.
"""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Protocol

from kernel import child
from kernel.errors import UsageError
from kernel.ports import Disturbance
from kernel.scratch import scratch

START_S = 60.0
"""Longest wait for a node to answer; a cold start takes about 4 s."""
_PORTS = "ports.json"
_LIBRARY = Path("/usr/lib/rabbitmq/lib")


def find_server() -> Path | None:
    """The rabbitmq-server script to run, or None if RabbitMQ is not installed.

    Debian's script on the PATH switches users or refuses, so the package's own is preferred.
    """
    packaged = sorted(_LIBRARY.glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    if packaged:
        return packaged[-1]
    found = shutil.which("rabbitmq-server")
    return Path(found) if found else None


class Node(Disturbance, Protocol):
    """A RabbitMQ node that this process may kill and control: a real one, or a model of one."""

    @property
    def kept(self) -> Path | None:
        """Where its data stay when it has ended; None = they are lost."""
        ...

    async def control(self, *words: str) -> str:
        """Run its control program; what it printed. Raise UsageError if it fails."""
        ...


class RabbitNode:
    """One node on loopback with its own epmd, in its own folder. Open it with `async with RabbitNode.open()`."""

    def __init__(self, server: Path, folder: Path, *, stays: bool) -> None:
        """`stays`: whether its data are still there when it has ended."""
        self._server, self.folder, self.stays = server, folder, stays
        known = folder / _PORTS
        if not known.exists():
            known.write_text(json.dumps([child.free_port() for _ in range(3)]), encoding="utf-8")
        # LOOK: data belong to a node's name, and that has its port in it.
        self._port, self._epmd_port, self._distribution_port = json.loads(known.read_bytes())
        self._epmd: asyncio.subprocess.Process | None = None
        self._node: asyncio.subprocess.Process | None = None

    @classmethod
    @asynccontextmanager
    async def open(cls, home: Path | None = None) -> AsyncIterator["RabbitNode"]:
        """A node that answers, over the data in the folder `home`, which stays; None = over none, which are lost at the end.

        Raise UsageError if RabbitMQ is not installed or does not start.
        """
        server = find_server()
        if server is None:
            raise UsageError(
                "rabbitmq-server is not installed: apt-get install rabbitmq-server, or use --broker memory"
            )
        with scratch("rabbit") if home is None else nullcontext(home) as folder:
            node = cls(server, folder.resolve(), stays=home is not None)
            try:
                await node.restart()
                yield node
            finally:
                await node.kill()
                if node._epmd is not None:
                    await child.end(node._epmd, with_signal=signal.SIGKILL)

    @property
    def kept(self) -> Path | None:
        """See Node."""
        return self.folder if self.stays else None

    @property
    def url(self) -> str:
        """Where clients connect. The password is RabbitMQ's public default; the node is on loopback only."""
        return f"amqp://guest:guest@127.0.0.1:{self._port}/"

    async def restart(self) -> None:
        """Start the node on its data; returns when it answers AMQP."""
        environment = self._environment()
        if self._epmd is None:
            epmd = shutil.which("epmd")
            if epmd is None:
                raise UsageError("epmd is not on the PATH: install Erlang, or use --broker memory")
            self._epmd = await child.start(
                [epmd, "-port", str(self._epmd_port), "-address", "127.0.0.1"],
                log=self.folder / "epmd.log",
                environment=environment,
            )
        log = self.folder / "node.log"
        self._node = await child.start([self._server], log=log, environment=environment)
        try:
            async with asyncio.timeout(START_S):
                while not await self._answers():
                    if self._node.returncode is not None:
                        raise UsageError(f"the RabbitMQ node did not start: {_tail(log)}")
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise UsageError(
                f"the RabbitMQ node is silent after {START_S:.0f} s: {_tail(log)}"
            ) from None

    async def kill(self) -> None:
        """Kill -9; returns when the process is gone."""
        if self._node is not None:
            await child.end(self._node, with_signal=signal.SIGKILL)

    def freeze(self) -> None:
        """SIGSTOP: connections stay open, nothing is answered."""
        if self._node is not None:
            self._node.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        if self._node is not None:
            self._node.send_signal(signal.SIGCONT)

    async def control(self, *words: str) -> str:
        """Run rabbitmqctl on this node; what it printed. Raise UsageError if it fails."""
        command = [str(self._server.with_name("rabbitmqctl")), "--quiet", *words]
        process = await asyncio.create_subprocess_exec(
            *command,
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await process.communicate()
        if process.returncode:
            raise UsageError(f"rabbitmqctl {words[0]} failed: {printed.decode().strip()}")
        return printed.decode()

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            return False
        try:
            async with asyncio.timeout(1):
                writer.write(b"AMQP\x00\x00\x09\x01")
                return await reader.read(1) == b"\x01"
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()

    def _environment(self) -> dict[str, str]:
        folder = self.folder
        plugins, settings, empty = folder / "plugins", folder / "rabbitmq.conf", folder / "empty"
        plugins.write_text("[].")
        empty.touch()
        settings.write_text(
            f"listeners.tcp.1 = 127.0.0.1:{self._port}\n"
            "loopback_users = none\n"
            "disk_free_limit.absolute = 50MB\n"
            "log.file.level = warning\n"
        )
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("RABBITMQ_", "ERL_"))}
        return inherited | {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"saga{self._port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_CONFIG_FILE": str(settings),
            "RABBITMQ_CONF_ENV_FILE": str(empty),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            # Whoever knows the cookie may run anything in a node: its own port is for this machine, too.
            "ERL_FLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "RUNNING_UNDER_SYSTEMD": "true",
        }


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"
