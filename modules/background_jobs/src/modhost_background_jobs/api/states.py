"""States as the query string gives them: in any case, and refused by a sentence."""

from modhost_background_jobs.contracts import JobState, WorkflowState


def states(value: object) -> object:
    """Read states of jobs; none means any state."""
    return [_state(each) for each in (value if isinstance(value, list | tuple) else [value])]


def _state(value: object) -> JobState:
    try:
        return JobState(str(value))
    except ValueError:
        allowed = ", ".join(JobState)
        raise ValueError(f"{value!r} is not a state of a job; the states are {allowed}.") from None


def workflow_state(value: object) -> WorkflowState | None:
    """Read the state of a workflow; none, or an empty one, means any state."""
    if value in (None, ""):
        return None
    try:
        return WorkflowState(str(value))
    except ValueError:
        allowed = ", ".join(WorkflowState)
        msg = f"{value!r} is not a state of a workflow; the states are {allowed}."
        raise ValueError(msg) from None
