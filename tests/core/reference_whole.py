"""All features of the reference in one class."""
from engine.core.codes import Code, OrderType, TimeInForce
from tests.core.command import Command
from tests.core.reference_lists import ReferenceLists
from tests.core.reference_market import ReferenceMarket
from tests.core.reference_once import ReferenceOnce


class ReferenceWhole(ReferenceOnce, ReferenceLists, ReferenceMarket):
    """What the core is compared with."""

    def _place(self, command: Command) -> None:
        self.placing = command
        super()._place(command)

    def _check_shape(self, command: Command) -> Code:
        """A part of a limit order that waits for nothing, in at most 100 parts."""
        code = super()._check_shape(command)
        if code != Code.NONE or not command.display_lots:
            return code
        limit = command.order_type <= OrderType.LIMIT_MAKER and command.time_in_force == TimeInForce.GTC
        part = 0 < command.display_lots < command.qty_lots
        few = part and -(-command.qty_lots // command.display_lots) <= 100
        return Code.NONE if limit and few else Code.BAD_ICEBERG

    def _about(self, command: Command) -> None:
        self.placing = command
