"""Where the records of a report come from: files that are shipped, and files that were sent."""

from collections.abc import AsyncIterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import anyio

from modhost import new_id
from modhost_reports_example.contracts import ReportRequest, UnknownSource
from modhost_reports_example.options import ReportsOptions

_SHIPPED = Path(__file__).parent / "data"


class Sources:
    """Finds and keeps the CSV files."""

    def __init__(self, options: ReportsOptions) -> None:
        self._uploads = options.upload_folder

    def names(self) -> list[str]:
        """Return the names of the shipped sources."""
        return sorted(path.stem for path in _SHIPPED.glob("*.csv"))

    def check(self, request: ReportRequest) -> None:
        """Raise `UnknownSource` for a request whose source is neither shipped nor sent."""
        if request.upload is None and request.source not in self.names():
            names = ", ".join(self.names())
            msg = f"There is no source {request.source!r}; choose one of: {names}."
            raise UnknownSource(msg)

    def path(self, request: ReportRequest) -> Path:
        """Return the file of a request. Raises `UnknownSource`."""
        if request.upload is not None:
            return self._sent(request.upload)
        self.check(request)
        return _SHIPPED / f"{request.source}.csv"

    async def keep(self, chunks: AsyncIterable[bytes]) -> str:
        """Write a file that somebody sends, as it comes, and return its name."""
        await anyio.Path(self._uploads).mkdir(parents=True, exist_ok=True)
        name = f"{new_id()}.csv"
        try:
            async with await anyio.open_file(self._uploads / name, "wb") as file:
                async for chunk in chunks:
                    await file.write(chunk)
        except BaseException:
            self.forget(name)
            raise
        return name

    def forget(self, upload: str) -> None:
        """Delete a file that somebody sent; it may be gone already."""
        with suppress(FileNotFoundError):
            self._sent(upload).unlink()

    def last_written_before(self, moment: datetime) -> list[str]:
        """Return the names of the files that were sent and that nobody has written to since."""
        return [
            path.name
            for path in self._uploads.glob("*.csv")
            if datetime.fromtimestamp(path.stat().st_mtime, UTC) < moment
        ]

    def _sent(self, upload: str) -> Path:
        """Return the file of an upload, which lies in the folder of uploads and nowhere else."""
        folder = self._uploads.resolve()
        path = (folder / upload).resolve()
        if path.parent != folder:
            msg = f"There is no upload {upload!r}."
            raise UnknownSource(msg)
        return path
