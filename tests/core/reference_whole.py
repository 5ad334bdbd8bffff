"""All features of the reference in one class."""
from tests.core.command import Command
from tests.core.reference_lists import ReferenceLists
from tests.core.reference_market import ReferenceMarket


class ReferenceWhole(ReferenceLists, ReferenceMarket):
    """What the core is compared with."""

    def _place(self, command: Command) -> None:
        self.placing = command
        super()._place(command)

    def _about(self, command: Command) -> None:
        self.placing = command
