"""The cards that modules add to the start page: each is rendered on its own."""

import inspect
import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from threading import Semaphore
from typing import Any, Final

import anyio
import anyio.to_thread
import jinja2
from markupsafe import Markup
from starlette.requests import Request

from modhost import Clock, Principal
from modhost.calls.returned import awaited
from modhost.failures import own_cancellation
from modhost.web.access.context import part_of
from modhost.web.rendering.shell import Page, may_see, rendered
from modhost.web.rendering.templates import template_environment
from modhost.web.routing.module_web import ModuleWeb
from modhost.web.routing.slots import Card

logger = logging.getLogger(__name__)

CARD_SECONDS: Final = 2.0
CARD_THREADS: Final = 40
"""How many calls of one card may run in threads, with those that nobody waits for any more."""


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card as it is shown; without content it could not be."""

    title: str
    content: Markup | None


class StartCards:
    """Renders the cards of all modules, in their order.

    Args:
        modules: the modules, with whatever they add until the first request.
        base_path: what the host's public address adds in front of all paths.
        clock: the time of cards.

    """

    def __init__(self, modules: Sequence[ModuleWeb], base_path: str, clock: Clock) -> None:
        self._modules = modules
        self._base_path = base_path
        self._clock = clock
        self._threads = defaultdict[str, Semaphore](lambda: Semaphore(CARD_THREADS))
        self._environments: dict[str, jinja2.Environment] = {}

    async def shown_to(self, principal: Principal | None, request: Request) -> list[ShownCard]:
        """Return the cards that a visitor may see; one that fails is a note in its place."""
        shown = []
        for card in self._cards:
            if not may_see(principal, card.permission):
                continue
            try:
                with anyio.fail_after(CARD_SECONDS), own_cancellation():
                    async with part_of(request) as part:
                        found = await self._render(card, principal, part)
            except Exception:
                logger.exception("The card %s of the start page failed.", card.name)
                found = ShownCard("", None)
            if found is not None:
                shown.append(found)
        return shown

    @cached_property
    def _cards(self) -> list[Card]:
        cards = [card for module in self._modules for card in module.slots.cards]
        return sorted(cards, key=lambda card: card.order)

    async def _render(
        self, card: Card, principal: Principal | None, request: Request
    ) -> ShownCard | None:
        arguments = await card.binding.arguments(request)
        call = partial(card.handler, **arguments)
        if inspect.iscoroutinefunction(card.handler):
            result = call()
        else:
            result = await anyio.to_thread.run_sync(
                _bounded, self._threads[card.name], call, abandon_on_cancel=True
            )
        page = await awaited(result)
        if page is None:
            return None
        if not isinstance(page, Page):
            raise TypeError(f"it returned {page!r}, which is neither a Page nor None")
        template = self._environment(card.module).get_template(page.template)
        html = rendered(template, page, request, principal, self._clock.now())
        return ShownCard(page.title, Markup(html))  # noqa: S704 - rendered

    def _environment(self, module: str) -> jinja2.Environment:
        if module not in self._environments:
            folder = next(each.folder("templates") for each in self._modules if each.name == module)
            self._environments[module] = template_environment(module, folder, self._base_path)
        return self._environments[module]


def _bounded(threads: Semaphore, call: Callable[[], Any]) -> Any:
    """Call a card in its thread. Raises `RuntimeError` where too many hang in it already."""
    if not threads.acquire(blocking=False):
        msg = f"{CARD_THREADS} earlier calls of it have not returned"
        raise RuntimeError(msg)
    try:
        return call()
    finally:
        threads.release()
