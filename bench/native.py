"""Compiles the bench's own native module into build/bench on first use, and again when its source changes.

It is no part of the product's build: setup.py takes engine, gateway and workers only. Needs the `dev` extra and a C
compiler.
"""
import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

SOURCE = Path(__file__).with_name("_flow.pyx")
BUILD = SOURCE.parent.parent / "build" / "bench"
DIRECTIVES = {
    "language_level": 3, "boundscheck": False, "wraparound": False, "initializedcheck": False, "cdivision": True}


def load_flow() -> ModuleType:
    """The module bench._flow; raises ImportError with the compiler's words when it cannot be built."""
    library = BUILD / f"_flow_{_digest()}.so"
    if not library.exists():
        _compile(library)
    spec = importlib.util.spec_from_file_location("_flow", library)
    if spec is None or spec.loader is None:
        raise ImportError(f"{library} is no Python module: remove it and run again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _digest() -> str:
    """Names the build after its source and interpreter, so that a stale one is never loaded."""
    return hashlib.sha256(SOURCE.read_bytes() + sys.version.encode()).hexdigest()[:16]


def _compile(library: Path) -> None:
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    extension = Extension("_flow", [str(SOURCE)], extra_compile_args=["-O3", "-Wno-unused-function"])
    modules = cythonize([extension], compiler_directives=DIRECTIVES, build_dir=str(BUILD), quiet=True)
    command = build_ext(Distribution({"ext_modules": modules}))
    command.build_lib, command.build_temp = str(BUILD), str(BUILD)
    command.ensure_finalized()
    command.run()
    Path(command.get_ext_fullpath("_flow")).replace(library)
