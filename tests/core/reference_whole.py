"""All features of the reference in one class."""
from tests.core.command import Command
from tests.core.reference_stops import ReferenceStops
from tests.core.reference_time import ReferenceTime


class ReferenceWhole(ReferenceStops, ReferenceTime):
    """What the core is compared with."""

    def _place(self, command: Command) -> None:
        self.placing = command
        super()._place(command)
