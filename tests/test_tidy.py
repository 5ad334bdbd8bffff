"""The house rules as a test: sizes, import direction, what the core may know, words and habits.

A rule stands here when a reader would otherwise have to watch for it. To change a rule, change it here and say why.
"""
import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.sanitize import DRIVERS

ROOT = Path(__file__).parent.parent
LINE_LENGTH_MAX = 120
FILE_LINES_MAX = 400       # an alarm, not an aim: most files are 50 to 150 lines
FUNCTION_LINES_MAX = 60    # an alarm too: most functions are 4 to 10 lines
SOURCE = {".py", ".pyx", ".pxd", ".pyi", ".sql"}
TEXT = SOURCE | {".md", ".toml", ".yml", ".yaml", ".sh", ".conf"}

# Who may import whom: each package names what it may use of ours. tests and bench may use all; nobody uses them.
MAY_IMPORT = {
    "engine.core": {"engine.core"},
    "engine": {"engine"},
    "gateway": {"engine", "gateway"},
    "workers": {"engine", "workers"},
    "buttonwood": {"engine", "gateway", "workers", "buttonwood"},
    "referee": {"engine.core", "referee"},
}
# What the core must not know: the clock, chance, files, sockets, processes, floating point.
CORE_BANNED = {"time", "datetime", "random", "secrets", "os", "io", "socket", "asyncio", "threading", "pathlib",
               "subprocess", "math", "decimal", "locale", "tempfile", "uuid"}
# What is imported under another name than it is installed by; schemathesis brings the last one.
INSTALLED_AS = {"Cython": "cython", "google_crc32c": "google-crc32c", "jwt": "pyjwt", "yaml": "pyyaml",
                "jsonschema_rs": "schemathesis"}
OWN_ENVIRONMENTS = ("tests/clients/bots/", "tests/conformance/judge.py")   # run where another Python's packages are
WORDS_BANNED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def _files(*suffixes: str) -> list[Path]:
    command = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = [ROOT / line for line in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file() and path.suffix in suffixes]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _package(path: Path) -> str | None:
    parts = path.relative_to(ROOT).parts
    if parts[:2] == ("engine", "core"):
        return "engine.core"
    return parts[0] if parts[0] in MAY_IMPORT else None


def _imports(path: Path) -> set[str]:
    """Full names of the modules that a .py, .pyx or .pxd file imports or cimports."""
    found = set()
    for line in _lines(path):
        match = re.match(r"\s*(?:from\s+([\w.]+)\s+c?import\b|c?import\s+([\w., ]+))", line)
        if match:
            found |= {name.split()[0] for name in (match[1] or match[2]).split(",") if name.strip()}
    return found


def test_file_sizes():
    sizes = {_name(path): len(_lines(path)) for path in _files(*SOURCE)}
    long = [f"{name}: {lines} lines" for name, lines in sizes.items() if lines > FILE_LINES_MAX]
    assert not long, "one idea a file: " + "; ".join(long)


def test_line_length():
    wide = [f"{_name(path)}:{number}" for path in _files(*SOURCE) for number, line in enumerate(_lines(path), 1)
            if len(line) > LINE_LENGTH_MAX]
    assert not wide, "\n".join(wide)


def test_function_sizes():
    long = []
    for path in _files(".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long.append(f"{_name(path)}: {node.name} has {lines} lines")
    assert not long, "\n".join(long)


def test_cython_function_sizes():
    head = re.compile(r"^(\s*)(?:cdef|cpdef|def)\b.*\(.*:\s*(?:#.*)?$")
    long = []
    for path in _files(".pyx", ".pxd"):
        lines = _lines(path)
        for start, line in enumerate(lines):
            match = head.match(line)
            if match:
                body = _body_lines(lines[start + 1:], len(match[1]))
                if body > FUNCTION_LINES_MAX:
                    long.append(f"{_name(path)}:{start + 1} has {body} lines")
    assert not long, "\n".join(long)


def _body_lines(lines: list[str], indent: int) -> int:
    count = 0
    for number, line in enumerate(lines, 1):
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            break
        if line.strip():
            count = number
    return count


def test_every_module_says_what_it_is():
    silent = []
    for path in _files(".py", ".pyx", ".pxd"):
        text = path.read_text(encoding="utf-8").strip()
        body = re.sub(r"\A(?:#.*\n)+\s*", "", text)
        if body and not body.startswith('"""'):
            silent.append(_name(path))
    assert not silent, "no opening docstring: " + ", ".join(silent)


def test_import_direction():
    wrong = []
    for path in _files(".py", ".pyx", ".pxd"):
        package = _package(path)
        if package:
            ours = {name for name in _imports(path) if name.split(".")[0] in {*MAY_IMPORT, "tests", "bench"}}
            wrong += [f"{_name(path)} imports {name}" for name in ours if not _allowed(package, name)]
    assert not wrong, "\n".join(wrong)


def test_what_is_imported_is_declared():
    """What another package happens to bring along goes when that one goes."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    lines = [line for group in groups for line in group]
    declared = {re.match(r"[\w-]+", line)[0].lower() for line in lines}
    known = declared | sys.stdlib_module_names | {*MAY_IMPORT, "tests", "bench", "libc", "posix", "cpython"}
    wrong = [f"{_name(path)} imports {name}" for path in _files(".py", ".pyx", ".pxd")
             if not _name(path).startswith(OWN_ENVIRONMENTS) for name in _imports(path)
             if INSTALLED_AS.get(top := name.split(".")[0], top) not in known]
    assert not wrong, "not in pyproject.toml: " + ", ".join(wrong)


def _allowed(package: str, name: str) -> bool:
    return any(name == allowed or name.startswith(allowed + ".") for allowed in MAY_IMPORT[package])


def test_no_import_circles():
    graph = {_module(path): _top_level_imports(path) for path in _files(".py") if _package(path)}
    for module in graph:
        assert module not in _reachable(graph, module), f"{module} imports itself in a circle"


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _top_level_imports(path: Path) -> set[str]:
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    seen: set[str] = set()
    queue = list(graph[start])
    while queue:
        module = queue.pop()
        if module in graph and module not in seen:
            seen.add(module)
            queue += graph[module]
    return seen


CORE_FILES = [path for path in _files(".py", ".pyx", ".pxd") if _package(path) == "engine.core"]


@pytest.mark.parametrize("path", CORE_FILES, ids=_name)
def test_core_is_pure(path):
    known = {name.split(".")[0] for name in _imports(path)} & CORE_BANNED
    assert not known, f"the core must not know {known}"
    if path.suffix != ".py":
        floats = [line for line in _lines(path) if re.match(r"\s*cdef\s+(?:inline\s+)?(?:double|float)\b", line)]
        assert not floats, f"integers only: {floats}"


def test_cython_exceptions_are_declared():
    """A cdef function without an exception clause costs 70 ns in nogil code: each says noexcept or its error value."""
    head = re.compile(r"^\s*cdef\s+(?!class|struct|enum|extern|packed|public|readonly|union)[^=]*\w\(.*\)")
    bare = []
    for path in _files(".pxd"):
        for number, line in enumerate(_lines(path), 1):
            if head.match(line) and not re.search(r"\b(noexcept|except)\b", line) and not _returns_object(line):
                bare.append(f"{_name(path)}:{number}: {line.strip()}")
    assert not bare, "\n".join(bare)


def _returns_object(line: str) -> bool:
    return bool(re.match(r"^\s*cdef\s+(?:inline\s+)?(?:object|bytes|str|list|tuple|dict|[A-Z]\w*|\w+\()", line))


def test_every_native_module_meets_the_sanitizers():
    native = {_name(path) for path in _files(".pyx") if not _name(path).startswith(("bench/", "referee/"))}
    named = {name for name in native if any(name.startswith(module) for module in DRIVERS)}
    assert named == native, f"tests/sanitize.py names no test of {native - named}"
    paths = {*DRIVERS} | {"tests/" + test.split("::")[0] for tests in DRIVERS.values() for test in tests}
    gone = [path for path in paths if not (ROOT / path).exists()]
    assert not gone, f"tests/sanitize.py names what is not there: {gone}"


def test_words():
    bad = [f"{_name(path)}:{number}: {line.strip()}" for path in _files(*TEXT) if path != Path(__file__)
           for number, line in enumerate(_lines(path), 1) if WORDS_BANNED.search(line)]
    assert not bad, "\n".join(bad)


def test_no_skipped_tests():
    skip = re.compile(r"pytest\.(?:skip|importorskip)|mark\.(?:skip|skipif|xfail)")
    others = [path for path in _files(".py") if path != Path(__file__)]
    bad = [_name(path) for path in others if skip.search(path.read_text(encoding="utf-8"))]
    assert not bad, "a test runs or is deleted: " + ", ".join(bad)


def test_no_await_on_the_engine_loop():
    """The exchange process never waits for Redis or Postgres: its modules do not even know them."""
    for path in [*(ROOT / "engine").rglob("*.py"), ROOT / "gateway" / "exchange.py"]:
        known = {name.split(".")[0] for name in _imports(path)} & {"redis", "hiredis", "asyncpg"}
        assert not known, f"{_name(path)} imports {known}"
