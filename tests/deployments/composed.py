"""The documented compose file, started on this machine: what differs are addresses and folders."""

import re
from pathlib import Path

from deployments.deploying import Machine
from deployments.documented import ComposeFile

DB_PASSWORD = "hush"


class Compose:
    """The services of the compose file, on a database of the tests."""

    def __init__(self, folder: Path, public_url: str, database_url: str) -> None:
        self.machine = Machine(folder)
        self._file = ComposeFile(PUBLIC_URL=public_url, DB_PASSWORD=DB_PASSWORD)
        self._database_url = database_url

    def run(self, service: str, *words: str, given: str = "") -> str:
        """Run the command of a service, or another one in its place, to its end."""
        found = list(words) or self._file.service(service).words
        return self.machine.run(found, self.environment(service), given)

    async def start(self, service: str) -> int:
        """Start a service, and return its port once it serves."""
        words = self._file.service(service).words
        process = self.machine.start(words, self.environment(service))
        await process.logs(r"^  (?:address|health) +http://0\.0\.0\.0:")
        found = re.search(r"http://0\.0\.0\.0:(\d+)", process.log)
        assert found
        return int(found[1])

    def environment(self, service: str) -> dict[str, str]:
        """Return the variables of a service."""
        found = self._file.service(service).environment
        documented = f"postgresql://modhost:{DB_PASSWORD}@db/modhost"
        assert found["MODHOST__HOST__DATABASE_URL"] == documented
        bind = found["MODHOST__HOST__BIND"]
        assert bind == "0.0.0.0:8000"
        uploads = self.machine.folder / "uploads"
        return found | {
            "MODHOST__HOST__DATABASE_URL": self._database_url,
            "MODHOST__HOST__BIND": bind.replace("8000", "0"),
            "MODHOST__HOST__TRUSTED_PROXIES": '["127.0.0.0/8"]',
            "MODHOST__MODULES__REPORTS_EXAMPLE__UPLOAD_FOLDER": str(uploads),
        }
