"""Identifiers of jobs and schedules: distinct types over UUIDv7, so that one is never the other."""

from typing import NewType
from uuid import UUID

JobId = NewType("JobId", UUID)
RecurringJobId = NewType("RecurringJobId", UUID)
