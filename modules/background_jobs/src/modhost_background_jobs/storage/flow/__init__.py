"""Flow control: lanes and their limits, and the turns of fair jobs."""

from modhost_background_jobs.storage.flow.lane_store import LaneStore
from modhost_background_jobs.storage.flow.turns import Turns, turns_of

__all__ = ["LaneStore", "Turns", "turns_of"]
