"""A PostgreSQL that takes connections over TLS alone, with self-made certificates."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ports import free_port

RULES = """
hostssl all client 127.0.0.1/32 cert
hostssl all postgres 127.0.0.1/32 trust
"""


class Authority:
    """Signs certificates, and writes them with their keys as `<name>.crt` and `<name>.key`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(name)
        self.certificate = self._write(name, self._key, self._name, None)

    def issue(self, name: str) -> Path:
        """Write a certificate for a name and 127.0.0.1, and return its path without a suffix."""
        key = ec.generate_private_key(ec.SECP256R1())
        place = x509.IPAddress(IPv4Address("127.0.0.1"))
        return self._write(name, key, _named(name), place).with_suffix("")

    def _write(
        self,
        file: str,
        key: ec.EllipticCurvePrivateKey,
        subject: x509.Name,
        place: x509.GeneralName | None,
    ) -> Path:
        begin = datetime.now(UTC) - timedelta(hours=1)
        builder = x509.CertificateBuilder(self._name, subject, key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(begin).not_valid_after(begin + timedelta(days=1))
        if place is None:
            builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        else:
            builder = builder.add_extension(x509.SubjectAlternativeName([place]), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        path = self._folder / f"{file}.crt"
        path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        path.with_suffix(".key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return path


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass(frozen=True)
class TlsServer:
    """A server at `127.0.0.1:port`, and the certificates that belong to it."""

    port: int
    authority: Path
    stranger: Path
    """The certificate of an authority that signed nothing of this server."""
    client: Path
    """The certificate and key of a client, without their suffixes."""

    def url(self, query: str = "", user: str = "postgres", host: str = "127.0.0.1") -> str:
        """Return a URL by TCP."""
        return f"postgresql://{user}@{host}:{self.port}/postgres{query and '?'}{query}"

    @classmethod
    @contextmanager
    def start(cls, programs: Path) -> Iterator["TlsServer"]:
        """Start a server by an installed PostgreSQL, and stop it at the end."""
        with TemporaryDirectory(prefix="modhost-tls-") as name:
            folder = Path(name)
            authority = Authority(folder, "authority")
            stranger = Authority(folder, "stranger")
            client = authority.issue("client")
            data = folder / "data"
            data.mkdir()
            with _running(programs, data, authority.issue("server"), authority.certificate) as port:
                yield cls(port, authority.certificate, stranger.certificate, client)


def installed_programs() -> Path | None:
    """Return the folder of a PostgreSQL of this system, which unlike a wheel's knows TLS."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    found += [Path(each) for each in (shutil.which("pg_ctl"),) if each]
    return found[-1].resolve().parent if found else None


@contextmanager
def _running(programs: Path, data: Path, server: Path, authority: Path) -> Iterator[int]:
    user = "postgres" if os.geteuid() == 0 else None
    data.parent.chmod(0o711)
    if user:
        shutil.chown(data, user)

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(data), *arguments]
        subprocess.run(command, user=user, cwd="/", check=True, stdout=subprocess.DEVNULL)

    run("initdb", "--auth=trust", "--username=postgres", "--no-sync")
    port = free_port()
    _configure(data, port)
    for source, target in (
        (server.with_suffix(".crt"), data / "server.crt"),
        (server.with_suffix(".key"), data / "server.key"),
        (authority, data / "root.crt"),
    ):
        shutil.copy(source, target)
        target.chmod(0o600)
        if user:
            shutil.chown(target, user)
    run("pg_ctl", "-w", "-l", f"{data}/log", "start")
    try:
        yield port
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")


def _configure(data: Path, port: int) -> None:
    (data / "pg_hba.conf").write_text(RULES)
    with (data / "postgresql.conf").open("a") as settings:
        settings.write(
            f"port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = '{data}'\n"
            "ssl = on\nssl_ca_file = 'root.crt'\nfsync = off\n"
        )
