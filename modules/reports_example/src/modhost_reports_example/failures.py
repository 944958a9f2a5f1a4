"""Mails about reports that have failed: a job for each event."""

import smtplib
from email.message import EmailMessage
from typing import Final

from modhost_background_jobs.contracts import JobExecutionContext, JobFailed, ModuleJob
from modhost_reports_example.options import ReportsOptions

SMTP_TIMEOUT: Final = 30.0


class MailFailureJob(ModuleJob[JobFailed]):
    """Mails why a report has failed.

    A job may run twice: a file is then written again, and a mail sent again has the same
    `Message-ID`, by which readers recognise it.
    """

    def __init__(self, options: ReportsOptions) -> None:
        self._options = options

    @staticmethod
    def summary(data: JobFailed) -> str:
        """Say which job has failed."""
        return f"{data.job_type} {data.job_id}"

    def execute(self, context: JobExecutionContext[JobFailed]) -> None:
        """Send the mail, in a thread; other modules' jobs are none of its business."""
        failed = context.data
        if not failed.job_type.startswith("reports_example."):
            return
        mail = mail_about(failed, self._options.mail_to)
        if self._options.smtp_host:
            with smtplib.SMTP(self._options.smtp_host, timeout=SMTP_TIMEOUT) as server:
                server.send_message(mail)
            return
        folder = self._options.mail_folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{failed.job_id}-{failed.attempt}.eml"
        path.write_bytes(mail.as_bytes())
        context.log(f"The mail is in {path}.")


def mail_about(failed: JobFailed, address: str) -> EmailMessage:
    """Return the mail about a failed job, from and to an address."""
    mail = EmailMessage()
    mail["Subject"] = f"A report has failed: {failed.job_id}"
    mail["From"] = mail["To"] = address
    mail["Message-ID"] = f"<{failed.job_id}.{failed.attempt}@modhost-reports-example>"
    mail.set_content(
        f"The job {failed.job_id} ({failed.job_type}) has failed in its attempt {failed.attempt}.\n"
        f"\n{failed.error}\n"
        f"\nIts page is /admin/jobs/{failed.job_id}, where it can be retried.\n"
    )
    return mail
