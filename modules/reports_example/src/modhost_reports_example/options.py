"""The options and the settings of the reports example: `[modules.reports_example]`."""

from pathlib import Path

from pydantic import Field

from modhost import ModuleOptions, ModuleSettings


class ReportsOptions(ModuleOptions):
    """What operators can set."""

    upload_folder: Path = Field(
        Path("var/reports"),
        description="Where uploaded CSV files are kept until their report is made, or their job is "
        "cancelled or, after it failed, deleted by its retention. Workers on other machines must "
        "share this folder.",
    )
    max_upload_bytes: int = Field(
        50 * 1024 * 1024,
        ge=1,
        description="Size of the largest CSV file that is accepted, in bytes; 50 MiB by default.",
    )
    mail_to: str = Field(
        "",
        pattern=r"^([^@\s]+@[^@\s]+)?$",
        description="Who gets a mail when a report has failed, and the sender of it; nobody by "
        "default. All hosts and workers have to agree on whether there is one.",
    )
    mail_folder: Path = Field(
        Path("var/mail"),
        description="Where mails are written as files without an `smtp_host`.",
    )
    smtp_host: str = Field(
        "",
        description="The mail server that takes mails without login, `host` or `host:port`; files "
        "instead by default.",
    )


class ReportsSettings(ModuleSettings):
    """What administrators change while the host runs."""

    reports_shown: int = Field(
        20,
        ge=1,
        le=100,
        title="Reports on the page",
        description="How many of the newest reports the page shows.",
    )
    max_records: int = Field(
        1_000_000,
        ge=1,
        title="Records of a report",
        description="A source with more records fails its job, without retries.",
    )
