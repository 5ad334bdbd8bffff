from typing_extensions import Buffer

class Batch:
    def __init__(self, capacity: int = 16) -> None: ...
    def __len__(self) -> int: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def place(
        self,
        account: int,
        instrument: int,
        side: int,
        order_type: int,
        time_in_force: int,
        price_ticks: int,
        qty_lots: int,
        amount: int = 0,
        text: bytes | str = b"",
        stp: int = 0,
        *,
        trigger_ticks: int = 0,
        session: int = 0,
        expires_ns: int = 0,
        trailing_bps: int = 0,
        display_lots: int = 0,
        once: bool = False,
    ) -> int: ...
    def cancel(
        self, account: int, instrument: int, order_id: int = 0, slot: int = 0, text: bytes | str = b""
    ) -> int: ...
    def reduce(
        self, account: int, instrument: int, qty_lots: int, order_id: int = 0, slot: int = 0, text: bytes | str = b""
    ) -> int: ...
    def replace(
        self,
        account: int,
        instrument: int,
        side: int,
        order_type: int,
        time_in_force: int,
        price_ticks: int,
        qty_lots: int,
        amount: int = 0,
        text: bytes | str = b"",
        stp: int = 0,
        *,
        expires_ns: int = 0,
        order_id: int = 0,
        slot: int = 0,
        mode: int = 0,
        trigger_ticks: int = 0,
        trailing_bps: int = 0,
        display_lots: int = 0,
        once: bool = False,
    ) -> int: ...
    def cancel_all(self, account: int, instrument: int = 0) -> int: ...
    def place_list(self, account: int, instrument: int, list_type: int, text: bytes | str = b"") -> int: ...
    def cancel_list(
        self, account: int, instrument: int, list_id: int = 0, place: int = 0, text: bytes | str = b""
    ) -> int: ...
    def asset(self, asset: int, scale: int, code: bytes | str) -> int: ...
    def instrument(
        self,
        instrument: int,
        *,
        text: bytes | str,
        base_asset: int,
        quote_asset: int,
        lot_value: int,
        tick_value: int,
        min_lots: int = 1,
        max_lots: int = ...,
        max_ticks: int = ...,
        min_notional: int = 0,
        maker_fee_ppm: int = 0,
        taker_fee_ppm: int = 0,
        status: int = 0,
    ) -> int: ...
    def limits(
        self,
        instrument: int,
        *,
        max_notional: int = 0,
        reference_ticks: int = 0,
        band_up_ppm: int = 0,
        band_down_ppm: int = 0,
        orders_max: int = 0,
    ) -> int: ...
    def account(self, account: int, status: int = 0, label: bytes | str = b"", trade_group: int = 0) -> int: ...
    def fees(
        self, instrument: int, tier: int, *, maker_fee_ppm: int = 0, taker_fee_ppm: int = 0, clear: bool = False
    ) -> int: ...
    def tick(self) -> int: ...
    def timer(self, account: int, countdown_ns: int, *, session: int = 0, instrument: int = 0) -> int: ...
    def mass_cancel(
        self, account: int = 0, instrument: int = 0, session: int = 0, disconnected: bool = False
    ) -> int: ...
    def kill(self, account: int = 0, instrument: int = 0, *, on: bool = True, cancel: bool = False) -> int: ...
    def auction(self, instrument: int, step: int, *, status: int = 0, reference_ticks: int = 0) -> int: ...
    def bust(self, trade: Buffer) -> int: ...
    def protection(
        self, instrument: int, *, slippage_ppm: int = 0, stops_max: int = 0, day_end_s: int = 0
    ) -> int: ...
    def remember(self, count: int) -> int: ...
    def account_tier(self, account: int, tier: int) -> int: ...
    def credit(
        self,
        account: int,
        asset: int,
        amount: int,
        reference: bytes | str = b"",
        *,
        linked: bool = False,
        to_account: int = 0,
        until_ns: int = 0,
    ) -> int: ...
    def debit(
        self,
        account: int,
        asset: int,
        amount: int,
        reference: bytes | str = b"",
        *,
        linked: bool = False,
        to_account: int = 0,
        until_ns: int = 0,
    ) -> int: ...
    def checkpoint(self, of_seq: int = 0, state_hash: int = 0) -> int: ...
    def extend(self, commands: Buffer) -> None: ...
    def clear(self) -> None: ...
    def stamp(self, first_seq: int, time_ns: int) -> None: ...
