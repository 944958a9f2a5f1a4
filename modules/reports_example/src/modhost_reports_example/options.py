"""The options of the reports: `[modules.reports_example]`."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from modhost import ModuleOptions


class ReportsOptions(ModuleOptions):
    """What operators may set.

    `upload_folder` keeps what was sent until its report is made; with workers on other machines it
    has to be a folder that all of them share.
    """

    upload_folder: Path = Path("var/reports")
    max_upload_bytes: Annotated[int, Field(ge=1)] = 50 * 1024 * 1024
