"""Market streams as clients meet them: addresses, control messages, wrapping, last known states, limits."""
import asyncio
import gc
import json

import pytest

from engine.config import load_config
from engine.errors import ConfigError
from engine.market_channels import Kind
from gateway.feed import serve
from gateway.feed_session import FeedSession
from gateway.feed_topics import Audience
from tests.gateway.feed_kit import Client, FeedKit, run_feed
from tests.support.waiting import until

TRADE = (Kind.TRADE, {"e": "trade", "t": 1})
TICKER = (Kind.BOOK_TICKER, {"u": 7, "s": "BTCUSDT"})
DIFF = (Kind.DEPTH_100, {"e": "depthUpdate", "U": 1, "u": 3})
SLOW_DIFF = (Kind.DEPTH_1000, {"e": "depthUpdate", "U": 1, "u": 9})
FIVE = (Kind.PARTIAL_5, {"lastUpdateId": 3, "bids": [], "asks": []})


def test_subscribe_answer_comes_before_data_and_data_until_unsubscribe(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client() as socket:
            client = Client(socket)
            assert await client.ask("SUBSCRIBE", "btcusdt@trade", "ethusdt@trade", identity="x-1") == {
                "result": None, "id": "x-1"}
            assert await client.ask("LIST_SUBSCRIPTIONS", identity=2) == {
                "result": ["btcusdt@trade", "ethusdt@trade"], "id": 2}
            kit.say("BTCUSDT", TRADE, TICKER, DIFF)
            kit.say("ETHUSDT", TRADE)
            assert [await client.read(), await client.read()] == [TRADE[1], TRADE[1]]
            assert await client.ask("UNSUBSCRIBE", "btcusdt@trade", "never@trade", identity=3) == {
                "result": None, "id": 3}
            kit.say("BTCUSDT", TRADE)
            await client.quiet()

    run_feed(capsys, story)


@pytest.mark.parametrize("path", ["/ws", "/ws/0", "/ws/1/2", "/stream/ws", "/stream/ws/3"])
def test_raw_addresses_that_clients_invent(capsys, path):
    async def story(kit: FeedKit) -> None:
        async with kit.client(path) as socket:
            client = Client(socket)
            assert await client.ask("LIST_SUBSCRIPTIONS", identity=None) == {"result": [], "id": None}
            assert (await client.ask("SUBSCRIBE", "btcusdt@depth@100ms"))["result"] is None
            kit.say("BTCUSDT", DIFF)
            assert await client.read() == DIFF[1]

    run_feed(capsys, story)


def test_streams_in_the_address_raw_and_combined(capsys):
    async def story(kit: FeedKit) -> None:
        names = "btcusdt@trade/0/btcusdt@depth"
        async with (kit.client(f"/ws/{names}") as first, kit.client(f"/stream?streams={names}") as second,
                    kit.client("/stream") as third):
            raw, combined, asked = Client(first), Client(second), Client(third)
            for client in (raw, combined):
                listed = await client.ask("LIST_SUBSCRIPTIONS")
                assert listed["result"] == ["btcusdt@trade", "btcusdt@depth"]
            await asked.ask("SUBSCRIBE", "btcusdt@depth@1000ms")
            kit.say("BTCUSDT", TRADE, SLOW_DIFF)
            assert [await raw.read(), await raw.read()] == [TRADE[1], SLOW_DIFF[1]]
            assert [await combined.read(), await combined.read()] == [
                {"stream": "btcusdt@trade", "data": TRADE[1]}, {"stream": "btcusdt@depth", "data": SLOW_DIFF[1]}]
            assert await asked.read() == {"stream": "btcusdt@depth@1000ms", "data": SLOW_DIFF[1]}

    run_feed(capsys, story)


def test_the_combined_property_changes_the_wrapping(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@trade") as socket:
            client = Client(socket)
            assert (await client.ask("GET_PROPERTY", "combined"))["result"] is False
            assert (await client.ask("SET_PROPERTY", "combined", True))["result"] is None
            assert (await client.ask("GET_PROPERTY", "combined"))["result"] is True
            kit.say("BTCUSDT", TRADE)
            assert await client.read() == {"stream": "btcusdt@trade", "data": TRADE[1]}

    run_feed(capsys, story)


def test_a_bad_request_changes_nothing_and_the_connection_goes_on(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client() as socket:
            client = Client(socket)
            await client.ask("SUBSCRIBE", "btcusdt@trade")
            refused = await client.ask("SUBSCRIBE", "ethusdt@trade", "ethusdt@nonsense", identity=5)
            assert refused["id"] == 5 and refused["error"]["code"] == 2
            await socket.send("{")
            assert (await client.read())["error"]["code"] == 2
            assert (await client.ask("LIST_SUBSCRIPTIONS"))["result"] == ["btcusdt@trade"]
            kit.say("BTCUSDT", TRADE)
            assert await client.read() == TRADE[1]

    run_feed(capsys, story)


def test_an_unknown_symbol_is_accepted_and_silent(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client() as socket:
            client = Client(socket)
            assert (await client.ask("SUBSCRIBE", "nosuch@trade"))["result"] is None
            kit.say("BTCUSDT", TRADE)
            await client.quiet()
            kit.say("NOSUCH", TRADE)   # until the instrument exists
            assert await client.read() == TRADE[1]

    run_feed(capsys, story)


def test_a_late_subscriber_gets_the_last_known_state_after_the_answer(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@trade") as early:
            kit.say("BTCUSDT", TICKER, FIVE, TRADE)
            await Client(early).read()   # now the feed has it all
        for path in ("/ws", "/stream"):
            async with kit.client(path) as socket:
                client = Client(socket)
                names = ["btcusdt@bookTicker", "btcusdt@depth5", "btcusdt@depth5@100ms", "btcusdt@trade"]
                assert (await client.ask("SUBSCRIBE", *names))["result"] is None
                states = [await client.read() for _ in range(3)]
                wrapped = path == "/stream"
                assert states == [{"stream": name, "data": state} if wrapped else state
                                  for name, state in zip(names, [TICKER[1], FIVE[1], FIVE[1]], strict=False)]
        async with kit.client("/ws/btcusdt@bookTicker") as socket:
            assert await Client(socket).read() == TICKER[1]

    run_feed(capsys, story)


def test_a_refresh_is_no_event_but_tells_those_who_know_nothing(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@bookTicker") as socket:
            client = Client(socket)
            kit.say("BTCUSDT", TICKER, refresh=True)
            assert await client.read() == TICKER[1]
            kit.say("BTCUSDT", TICKER, refresh=True)
            await client.quiet()
            newer = (Kind.BOOK_TICKER, {"u": 8})
            kit.say("BTCUSDT", newer)
            assert await client.read() == newer[1]

    run_feed(capsys, story)


def test_partial_depth_is_repeated_at_its_cadence_and_newest_wins(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@depth5@100ms") as fast, kit.client("/ws/btcusdt@depth5") as slow:
            quick, second = Client(fast), Client(slow)
            kit.say("BTCUSDT", FIVE)
            loop = asyncio.get_running_loop()
            start = loop.time()
            assert [await quick.read() for _ in range(9)] == [FIVE[1]] * 9
            assert loop.time() - start > 0.5
            newer = (Kind.PARTIAL_5, {"lastUpdateId": 4, "bids": [["1", "1"]], "asks": []})
            kit.say("BTCUSDT", newer)
            while (heard := await quick.read()) != newer[1]:
                assert heard == FIVE[1]
            heard = [await second.read()]
            while heard[-1] != newer[1]:
                heard.append(await second.read())
            assert len(heard) <= loop.time() - start + 2   # a message a second

    run_feed(capsys, story)


def test_nothing_is_kept_of_clients_that_have_left(capsys):
    async def story(kit: FeedKit) -> None:
        kit.say("BTCUSDT", TICKER, FIVE)
        for path in ("/ws/btcusdt@trade/nosuch@depth5", "/stream?streams=btcusdt@depth", "/ws"):
            async with kit.client(path) as socket:
                await Client(socket).ask("SUBSCRIBE", "ethusdt@trade", "btcusdt@bookTicker")

        def kept() -> list[object]:
            gc.collect()
            return [thing for thing in gc.get_objects() if isinstance(thing, FeedSession | Audience)]
        await until(lambda: not kept())

    run_feed(capsys, story)


def test_more_streams_than_allowed_are_refused_as_a_whole(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/a@trade/b@trade") as socket:
            client = Client(socket)
            refused = await client.ask("SUBSCRIBE", "c@trade", "d@trade", "b@trade")
            assert "more than 3 streams" in refused["error"]["msg"]
            assert (await client.ask("SUBSCRIBE", "c@trade", "b@trade"))["result"] is None
            assert len((await client.ask("LIST_SUBSCRIPTIONS"))["result"]) == 3
        async with kit.client("/ws/a@trade/b@trade/c@trade/d@trade") as socket:
            assert await Client(socket).close_code() == 1008

    run_feed(capsys, story, subscriptions_max=3)


@pytest.mark.parametrize("path", ["/", "/ws-api/v3", "/nonsense"])
def test_an_address_that_is_no_stream_is_closed_with_a_reason(capsys, path):
    async def story(kit: FeedKit) -> None:
        async with kit.client(path) as socket:
            assert await Client(socket).close_code() == 1008
            assert "/ws" in str(socket.close_reason)

    run_feed(capsys, story)


def test_the_end_of_the_process_is_announced(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws") as first, kit.client("/stream") as second:
            raw, combined = Client(first), Client(second)
            for client in (raw, combined):
                await client.ask("LIST_SUBSCRIPTIONS")
            stopping = asyncio.create_task(kit.stop())
            event = await raw.read()
            assert event["e"] == "serverShutdown" and event["E"] > 0
            assert (await combined.read())["stream"] == "!serverShutdown"
            assert [await raw.close_code(), await combined.close_code()] == [1001, 1001]
            await stopping

    run_feed(capsys, story)


def test_a_feed_without_an_address_of_redis_says_what_to_do():
    with pytest.raises(ConfigError, match=r"redis\.url"):
        asyncio.run(serve(load_config()))


def test_a_port_in_use_is_named(capsys):
    async def story(kit: FeedKit) -> None:
        port = int(kit.url.rpartition(":")[2])
        with pytest.raises(ConfigError, match=f"127.0.0.1:{port}"):
            await serve(load_config(redis={"url": kit.redis.url}, feed={"port": port}))

    run_feed(capsys, story)


def test_foreign_bytes_on_a_channel_do_not_stop_the_feed(capsys, caplog):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@trade") as socket:
            for junk in (b"", b"junk", json.dumps(TRADE[1]).encode()):
                kit.publisher.publish(b"buttonwood:0:market:BTCUSDT", junk)
            kit.publisher.publish(b"buttonwood:0:market:\xff\xfe", b"junk")
            kit.publisher.flush()
            kit.say("BTCUSDT", TRADE)
            assert await Client(socket).read() == TRADE[1]

    run_feed(capsys, story)
    assert caplog.text.count("cannot be read as an envelope") == 4


def test_streams_of_all_instruments(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/stream?streams=!miniTicker@arr@1000ms/!bookTicker") as socket:
            client = Client(socket)
            await client.ask("LIST_SUBSCRIPTIONS")
            kit.say("!", (Kind.MINI_TICKERS, [{"s": "A"}, {"s": "B"}]))
            kit.say("BTCUSDT", TICKER)
            kit.say("BTCUSDT", TICKER, refresh=True)
            kit.say("ETHUSDT", (Kind.BOOK_TICKER, {"u": 1, "s": "ETHUSDT"}))
            assert [await client.read() for _ in range(3)] == [
                {"stream": "!miniTicker@arr@1000ms", "data": [{"s": "A"}, {"s": "B"}]},
                {"stream": "!bookTicker", "data": TICKER[1]},
                {"stream": "!bookTicker", "data": {"u": 1, "s": "ETHUSDT"}}]
            await client.quiet()

    run_feed(capsys, story)


def test_candles_of_both_zones_are_told_under_the_names_that_were_asked_for(capsys):
    async def story(kit: FeedKit) -> None:
        path = "/stream?streams=btcusdt@kline_1d/btcusdt@kline_1d@+08:00/btcusdt@kline_1h"
        async with kit.client(path) as socket:
            client = Client(socket)
            assert await client.ask("SUBSCRIBE", "btcusdt@kline_1h@+08:00") == {"result": None, "id": 1}
            kit.say("BTCUSDT", (Kind.KLINE_1H, {"k": 1}), (Kind.KLINE_1D, {"k": 2}), (Kind.KLINE_1D_EAST, {"k": 3}))
            told = {said["stream"]: said["data"]["k"] for said in [await client.read() for _ in range(4)]}
            assert told == {"btcusdt@kline_1h": 1, "btcusdt@kline_1h@+08:00": 1, "btcusdt@kline_1d": 2,
                            "btcusdt@kline_1d@+08:00": 3}
            await client.quiet()

    run_feed(capsys, story)


def test_a_late_subscriber_gets_the_present_candle(capsys):
    async def story(kit: FeedKit) -> None:
        async with kit.client("/ws/btcusdt@trade") as early:
            kit.say("BTCUSDT", (Kind.KLINE_1M, {"k": 1}), (Kind.KLINE_1H, {"k": 2}), TRADE)
            await Client(early).read()
        async with kit.client("/ws/btcusdt@kline_1m") as socket:
            assert await Client(socket).read() == {"k": 1}

    run_feed(capsys, story)
