"""A short part of tests/system/schema_run.py: a demo venue keeps what its OpenAPI document promises."""
from buttonwood.embedded import temporary_data_dir
from tests.support.waiting import wait_until
from tests.system.running_venue import RunningVenue
from tests.system.schema_run import SYMBOLS, crashes, furnished, readable, run

ROUTES_LEAST, REQUESTS_LEAST = 50, 100


def test_a_venue_answers_as_its_document_says():
    with temporary_data_dir() as folder, RunningVenue(folder / "venue", "--demo") as venue:
        wait_until(lambda: furnished(venue))
        report = run(venue, folder, 1, 1, "--phases", "examples,fuzzing", "--no-shrink")
        assert (report.failures, report.errors, crashes(venue)) == (0, 0, 0)
        assert report.operations >= ROUTES_LEAST and report.requests >= REQUESTS_LEAST


def test_the_document_is_made_readable():
    page = {"a": [{"name": "symbol", "schema": {}}, {"prefixItems": [{"type": "string"}], "items": False}]}
    assert readable(page) == {"a": [{"name": "symbol", "schema": {"type": "string", "enum": SYMBOLS}},
                                    {"items": {"anyOf": [{"type": "string"}]}}]}
