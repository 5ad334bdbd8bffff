"""The table of refusals: every refusal of the core has its words, and the words are JSON as clients expect it."""
import json

import pytest

from engine.core.codes import Code
from gateway import refusals
from gateway.refusals import REFUSALS_OF_CORE, Refusal, Terms, of_core

REASONS_FROM = 32   # codes from here on are reasons of a cancel, not refusals


@pytest.mark.parametrize("code", [code for code in Code if Code.NONE < code < REASONS_FROM])
def test_each_code_of_the_core_is_told(code):
    refusal = of_core(code)
    assert code in REFUSALS_OF_CORE and "%" not in refusal.msg
    assert json.loads(refusal.body()) == {"code": refusal.code, "msg": refusal.msg}


def test_terms_are_errors():
    terms = [value for value in vars(refusals).values() if isinstance(value, Terms)]
    assert len(terms) > 50
    assert all(400 <= row.status < 600 and row.code < 0 and row.msg for row in terms)


def test_arguments_and_data():
    refusal = Refusal(refusals.ILLEGAL_CHARACTERS, "price", "^[0-9]{1,20}$", data={"a": 1})
    assert json.loads(refusal.body()) == {
        "code": -1100, "data": {"a": 1},
        "msg": "Illegal characters found in parameter 'price'; legal range is '^[0-9]{1,20}$'."}
    assert str(refusal) == f"-1100 {refusal.msg}" and refusal.status == 400
