"""One storm, and what it violates."""

from simulation.flow.invariants import flow_violations
from simulation.flow.replay import Replay
from simulation.flow.storm import FlowStorm
from simulation.workers.invariants import violations


def found_in(storm: FlowStorm) -> list[str]:
    """Run a storm, and return a sentence for each violated invariant."""
    history = storm.run()
    troubles = {host.link.name: host.link.troubles for host in storm.hosts}
    replay = Replay(history, storm.control, troubles)
    return violations(history) + flow_violations(replay, storm.calm_at)
