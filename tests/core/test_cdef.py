"""No native function may check for exceptions by accident: in code without the GIL each such check costs 70 ns."""
import re
from pathlib import Path

import pytest

import engine.core

SOURCES = sorted(path for path in Path(engine.core.__file__).parent.iterdir() if path.suffix in (".pxd", ".pyx"))
RETURNS_OBJECT = re.compile(r"cdef (?:inline )?(?:list|bytes|dict|object|tuple|EventBuffer) ")
FUNCTION = re.compile(r"^ *cdef (?!class|struct|enum|extern)[^=\n]*?\w+\((?:[^()]|\([^()]*\))*\)[^\n]*", re.M)


def functions(path: Path) -> list[str]:
    return [" ".join(match.split()) for match in FUNCTION.findall(path.read_text())]


def test_there_are_functions_to_look_at() -> None:
    assert sum(len(functions(path)) for path in SOURCES) > 150


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_native_function_states_how_it_fails(path: Path) -> None:
    for function in functions(path):
        if "nogil" in function:
            assert "noexcept nogil" in function, function
        elif "noexcept" not in function and not RETURNS_OBJECT.match(function):
            assert re.search(r"\) except(\?)? [-\w]+|\) noexcept", function) or "cdef _explain" in function, function
