"""Ids of jobs and recurring jobs: distinct types over UUIDv7, so that they cannot be mixed up."""

from typing import NewType
from uuid import UUID

JobId = NewType("JobId", UUID)
RecurringJobId = NewType("RecurringJobId", UUID)
