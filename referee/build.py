"""Builds build/libbuttonwood_referee.so: the core and the adapter as one library without Python in it.

    python -m referee.build            (and build/libbuttonwood_driver.so, which runs such libraries for bench.referee)

Cython makes one C file of each module, as always. There a function of another module is a pointer that importing fills
in; here each becomes a plain extern function, so the linker joins the modules, may inline across them, and leaves out
whatever only Python would call. Nothing is linked to libpython and nothing may stay undefined: if one line on the way
from a message to its reports needed an interpreter, the link would fail.
"""
import fcntl
import os
import platform
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension

from referee.functions import EXPORTED

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "build" / "libbuttonwood_referee.so"
DRIVER = ROOT / "build" / "libbuttonwood_driver.so"
WORK = ROOT / "build" / "referee"
DIRECTIVES = {"language_level": 3, "boundscheck": False, "wraparound": False, "initializedcheck": False,
              "cdivision": True}
# Copies in registers of 64 bytes would read together what was written in pieces a moment before, and wait for it.
PROCESSOR = ["-march=native", *(["-mno-avx512f"] if platform.machine() == "x86_64" else [])]
COMPILE = ["-O3", *PROCESSOR, "-flto", "-fPIC", "-fno-strict-aliasing", "-fno-tree-slp-vectorize", "-fwrapv",
           "-ffunction-sections", "-fdata-sections", "-w", "-DNDEBUG", "-DPyMem_RawCalloc=calloc",
           "-DPyMem_RawFree=free", "-DCYTHON_INLINE=inline __attribute__((always_inline))"]
LINK = ["-shared", "-O3", *PROCESSOR, "-flto=auto", "-fno-strict-aliasing", "-fno-tree-slp-vectorize", "-fwrapv",
        "-Wl,--gc-sections", "-Wl,-z,defs", "-Wl,--build-id=none"]
# Functions on the way of most messages that are drawn into the adapter's, as what the core calls inline is everywhere:
# saving registers for a call costs stores, and a processor makes one or two of those in a cycle.
DRAWN_IN = ("engine.core.plain.place_plain", "engine.core.plain.cancel", "engine.core.ladder.ladder_add_leaf",
            "engine.core.ladder.ladder_drop_leaf")
CIMPORT = re.compile(r"^from ((?:engine\.core|referee)\.\w+) cimport", re.MULTILINE)
IMPORTED = re.compile(r"^static (.+?) ?\(\*(__pyx_f_\w+)\)(\(.*\)); /\*proto\*/$", re.MULTILINE)


def modules(first: str) -> list[str]:
    """The modules with code that the first one needs, itself included, found by following cimports."""
    seen: set[str] = set()
    waiting = [first]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        for path in (_source(name, ".pxd"), _source(name, ".pyx")):
            waiting += CIMPORT.findall(path.read_text(encoding="utf-8")) if path.exists() else []
    return sorted(name for name in seen if _source(name, ".pyx").exists())


def to_c(names: list[str]) -> list[Path]:
    """One C file of each module, made again when a source is newer."""
    extensions = [Extension(name, [str(_source(name, ".pyx").relative_to(ROOT))]) for name in names]
    done = cythonize(extensions, build_dir=str(WORK.relative_to(ROOT)), compiler_directives=DIRECTIVES, quiet=True)
    return [ROOT / extension.sources[0] for extension in done]


def join(texts: list[str]) -> list[str]:
    """The same C with every imported function pointer turned into the function itself, no longer static."""
    imported = {name for text in texts for _, name, _ in IMPORTED.findall(text)}
    if not imported:
        return texts
    own = re.compile(rf"^static (?:CYTHON_INLINE )?(?=[^(\n]*\b(?:{'|'.join(sorted(imported))})\()", re.MULTILINE)
    drawn_in = re.compile(rf"^(?=\w+ (?:{'|'.join(map(_in_c, DRAWN_IN))})\([^;]*\) \{{$)", re.MULTILINE)
    plain = [own.sub("", IMPORTED.sub(r"extern \1 \2\3;", text)) for text in texts]
    return [drawn_in.sub("__attribute__((always_inline)) ", text) for text in plain]


def build(first: str, exported: tuple[str, ...], library: Path) -> None:
    """One library of a module and all it needs. CalledProcessError: the compiler's words are on stderr."""
    names = modules(first)
    joined = join([path.read_text(encoding="utf-8") for path in to_c(names)])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(_compile, names, joined))
    exports = WORK / f"{first}.map"
    exports.write_text("{ global: " + "; ".join(exported) + "; local: *; };\n", encoding="utf-8")
    fresh = library.with_suffix(".new")
    _run([_compiler(), *objects, *LINK, f"-Wl,--version-script={exports}", "-o", str(fresh)])
    fresh.replace(library)  # somebody may be running the old one


@contextmanager
def alone() -> Iterator[None]:
    """Waits until no other process builds in WORK: a linker that reads what another compiler writes dies."""
    WORK.mkdir(parents=True, exist_ok=True)
    with (WORK / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _compile(name: str, text: str) -> str:
    source = WORK / f"{name}.joined.c"
    if not source.exists() or source.read_text(encoding="utf-8") != text:
        source.write_text(text, encoding="utf-8")
    target = source.with_suffix(".o")
    if not target.exists() or target.stat().st_mtime < max(source.stat().st_mtime, Path(__file__).stat().st_mtime):
        _run([_compiler(), *COMPILE, f"-I{sysconfig.get_paths()['include']}", "-c", str(source), "-o", str(target)])
    return str(target)


def _in_c(function: str) -> str:
    """Cython's name of a function in C."""
    *module, name = function.split(".")
    return f"__pyx_f_{'_'.join(f'{len(part)}{part}' for part in module)}_{name}"


def _source(name: str, suffix: str) -> Path:
    return (ROOT / name.replace(".", "/")).with_suffix(suffix)


def _compiler() -> str:
    return os.environ.get("CC", "gcc")


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    os.chdir(ROOT)
    with alone():
        build("referee.adapter", EXPORTED, LIBRARY)
        build("referee.driver", ("drive",), DRIVER)
    sys.stdout.write(f"{LIBRARY.relative_to(ROOT)}\n")
