"""Ids of jobs, recurring jobs and workflows: distinct types over UUIDv7, never mixed up."""

from typing import NewType
from uuid import UUID

JobId = NewType("JobId", UUID)
RecurringJobId = NewType("RecurringJobId", UUID)
WorkflowId = NewType("WorkflowId", UUID)
