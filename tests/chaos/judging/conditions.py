"""Jobs of workflows run once their conditions hold, and those whose condition fails never do."""

from collections.abc import Iterator, Mapping

from chaos.judging.account import Account, Offer
from chaos.judging.stored import Stored

ENDED = {"Completed", "Failed", "Cancelled"}


def broken(account: Account, stored: Stored) -> Iterator[str]:
    """Return a sentence for each job of a workflow that ran, or did not run, as it must not."""
    states = {id_: job.state for id_, job in stored.jobs.items()}
    for offer in account.offers.values():
        if "after" not in offer.facts:
            continue
        for id_ in offer.ids:
            yield from _broken(id_, offer, states, account)
    open_ones = sum(outcome is None for outcome in stored.outcomes)
    if open_ones:
        yield f"{open_ones} workflows have no outcome"


def _broken(id_: str, offer: Offer, states: Mapping[str, str], account: Account) -> Iterator[str]:
    state, runs = states.get(id_), account.by_job.get(id_, [])
    expected = _expected(offer, states)
    when = offer.facts["when"]
    if (expected == "Cancelled") != (state == "Cancelled"):
        yield f"{id_} is {state}, and not {expected}: it runs when {when}"
    if state == "Cancelled" and runs:
        yield f"{id_} is cancelled, and has run"
    for run in runs:
        if not _held(offer, run.began, states, account):
            yield f"{id_} began before its condition held: {when}"


def _expected(offer: Offer, states: Mapping[str, str]) -> str:
    has_bad = any(states.get(each) != "Completed" for each in offer.facts["after"])
    if offer.facts["when"] == "succeeded":
        return "Cancelled" if has_bad else "run"
    return "Cancelled" if offer.facts["when"] == "failed" and not has_bad else "run"


def _held(offer: Offer, at: int, states: Mapping[str, str], account: Account) -> bool:
    """Return whether the condition of a job can have held at a time.

    A cancelled job left no trace of when; one that ran had a run that ended before.
    """
    before = offer.facts["after"]
    ended = [
        states.get(each) == "Cancelled"
        or any(run.ended is not None and run.ended < at for run in account.by_job.get(each, []))
        for each in before
    ]
    if offer.facts["when"] == "failed":
        bad = [states.get(each) != "Completed" for each in before]
        return any(one and other for one, other in zip(ended, bad, strict=True))
    return all(ended)


def steps(account: Account, stored: Stored) -> Iterator[str]:
    """Return a sentence for each transactional step that was not taken, or not once."""
    for offer in account.offers.values():
        for id_ in offer.ids if "steps" in offer.facts else ():
            entries = stored.entries.get(offer.token, {})
            for number in range(offer.facts["steps"]):
                if (times := entries.get(number, 0)) != 1:
                    yield f"the step {number} of {offer.kind} {id_} was written {times} times"
