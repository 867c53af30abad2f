"""Apache Kafka on this machine with TLS, log-in and rights, set up by the scripts of docs/compose."""

import asyncio
import os
import shlex
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from pydantic import SecretStr

from hub.ops.local.broker import broker_settings
from hub.ops.local.kafka import home, program
from hub.ops.local.listening import listens
from hub.ops.local.ports import free_port
from hub.ops.local.process import Program

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "docs" / "compose"
SECURED = ROOT / "hub" / "ops" / "local" / "kafka" / "secured.properties"
PASSWORDS = {"clinic-api": "the-password-of-the-api-1", "clinic-agents": "the-password-of-the-agents-2"}
_TOOLS = {"kafka-configs.sh": "kafka.admin.ConfigCommand", "kafka-acls.sh": "org.apache.kafka.tools.AclCommand"}
_QUICK = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData"


@dataclass(frozen=True)
class SecuredKafka:
    """A broker with certificates in `folder`. `settings`: settings of the broker beside those of secured.properties."""

    folder: Path
    internal_port: int
    controller_port: int
    settings: tuple[str, ...] = ()

    @property
    def ca(self) -> Path:
        """The file with the certificate authority."""
        return self.folder / "certificates" / "ca" / "ca.pem"

    def program(self, port: int) -> Program:
        """Return the program of the broker whose listener for the hub is this loopback port."""
        keys = self.folder / "certificates" / "kafka"
        of_place = {
            "listeners": f"CLIENTS://127.0.0.1:{port},INTERNAL://127.0.0.1:{self.internal_port},"
            f"CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"CLIENTS://127.0.0.1:{port},INTERNAL://127.0.0.1:{self.internal_port}",
            "ssl.keystore.location": keys / "kafka.pem",
            "ssl.truststore.location": keys / "ca.pem",
        }
        secured = [line for line in SECURED.read_text().splitlines() if line and not line.startswith("#")]
        given = [*secured, *(f"{name}={value}" for name, value in of_place.items()), *self.settings]
        command = program.command(port, self.folder / "kafka", self.controller_port, *given)
        return Program(name="broker", command=command, port=port, probe=self._answers, ready_timeout=90.0)

    async def create_users(self) -> None:
        """Create the users of the hub with the documented rights."""
        tools = self.folder / "tools"
        tools.mkdir(exist_ok=True)
        for name, main in _TOOLS.items():
            classes = shlex.quote(str(home.LIBRARIES / "*"))
            (tools / name).write_text(f'#!/bin/sh\nexec java {_QUICK} -cp {classes} {main} "$@"\n')
            (tools / name).chmod(0o755)
        files = []
        for user, password in PASSWORDS.items():
            files.append(self.folder / f"{user}.password")
            files[-1].write_text(f"{password}\n")
        await self._run(
            ("sh", SCRIPTS / "kafka-users.sh", f"127.0.0.1:{self.internal_port}", self._internal_properties(), *files),
            {"PATH": f"{tools}:{os.environ['PATH']}"},  # noqa: TID251  # where Java is
        )

    def settings_of(self, user: str, port: int) -> dict[str, object]:
        """Return the settings of a process that logs in as this user."""
        return broker_settings("kafka", port) | {
            "kafka_security_protocol": "SASL_SSL",
            "kafka_sasl_username": user,
            "kafka_sasl_password": SecretStr(PASSWORDS[user]),
            "kafka_ca_file": self.ca,
        }

    def _internal_properties(self) -> Path:
        file = self.folder / "internal.properties"
        given = (SCRIPTS / "kafka-internal.properties").read_text()
        file.write_text(given.replace("/certificates/", f"{self.folder / 'certificates' / 'kafka'}/"))
        return file

    async def _answers(self) -> bool:
        if not await listens(self.internal_port):
            return False
        context = ssl.create_default_context(cafile=self.ca)
        context.load_cert_chain(self.folder / "certificates" / "kafka" / "kafka.pem")
        where = f"127.0.0.1:{self.internal_port}"
        client = AIOKafkaClient(
            bootstrap_servers=where, request_timeout_ms=2000, security_protocol="SSL", ssl_context=context
        )
        try:
            await client.bootstrap()
        except (KafkaError, OSError):
            return False
        finally:
            await client.close()
        return True

    async def _run(self, command: tuple[object, ...], environment: dict[str, str]) -> None:
        process = await asyncio.create_subprocess_exec(
            *map(str, command), env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        out, _ = await process.communicate()
        assert process.returncode == 0, out.decode()


def secured_kafka(folder: Path, *settings: str) -> SecuredKafka:
    """Return a broker that is not started yet, with new certificates."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ("sh", SCRIPTS / "certificates.sh", folder / "certificates", "kafka:127.0.0.1,localhost")
    subprocess.run(command, check=True, capture_output=True)
    return SecuredKafka(folder, free_port(), free_port(), settings)
