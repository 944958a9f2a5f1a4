"""Slots: cards on the start page, and tabs on the pages of other modules."""

from dataclasses import dataclass

from modhost import Permission
from modhost.calls.returned import function_of
from modhost.checks import Finding, rules
from modhost.permissions import Anyone
from modhost.web.binding.parameters import Binding, Handler, UnusableType, bind
from modhost.web.rendering.shell import MenuEntry


@dataclass(frozen=True, slots=True)
class Card:
    """A card of the start page, shown to those who have the permission."""

    module: str
    handler: Handler
    binding: Binding
    permission: Permission | Anyone
    order: int

    def __post_init__(self) -> None:
        if not isinstance(self.order, int | float):
            raise TypeError(f"the order of the card {self.name} is {self.order!r}")

    @property
    def name(self) -> str:
        """The card as messages name it."""
        function = function_of(self.handler)
        return f"{function.__module__}.{function.__qualname__}"


class Slots:
    """Collects what one module adds to pages that are not its own."""

    def __init__(self, module: str) -> None:
        self.module = module
        self.cards: list[Card] = []
        self.tabs: list[tuple[str, MenuEntry]] = []
        self.findings: list[Finding] = []

    def card(self, handler: Handler, *, permission: Permission | Anyone, order: int = 0) -> None:
        """Add a card to the start page.

        Args:
            handler: as that of a page: its parameters are injected, and it returns a `Page`, whose
                template is the content of the card and whose title is its heading, or None for no
                card. One that raises, or takes more than two seconds, harms no other.
            permission: what a visitor needs to see it, or `ANYONE`.
            order: cards with a lower number come first.

        """
        try:
            binding = bind(handler, ())
        except UnusableType as error:
            remedy = "Annotate parameters with Request, Principal or the contract of a service."
            detail = f"A card of the start page: {error}"
            finding = Finding(rules.UNANNOTATED_PARAMETER, detail, remedy, self.module)
            self.findings.append(finding)
            return
        self.cards.append(Card(self.module, handler, binding, permission, order))

    def tab(self, module: str, label: str, path: str, permission: Permission | Anyone) -> None:
        """Add a tab to the pages of another module, if it is there and has tabs.

        Args:
            module: the name of that module, e.g. `background_jobs`.
            label: what the tab is called.
            path: the whole path of the page that it leads to.
            permission: what a visitor needs to see it, or `ANYONE`.

        """
        self.tabs.append((module, MenuEntry(self.module, label, path, permission)))
