"""Compiles the bench's own native modules into build/bench on first use, and again when a source changes.

They are no part of the product's build: setup.py takes engine, gateway and workers only. Needs the `dev` extra and a C
compiler.
"""
import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build" / "bench"
DIRECTIVES = {
    "language_level": 3, "boundscheck": False, "wraparound": False, "initializedcheck": False, "cdivision": True}


def load_native(name: str) -> ModuleType:
    """bench/NAME.pyx as a module; raises ImportError with the compiler's words when it cannot be built."""
    library = BUILD / f"{name}_{_digest(name)}.so"
    if not library.exists():
        _compile(name, library)
    spec = importlib.util.spec_from_file_location(name, library)
    if spec is None or spec.loader is None:
        raise ImportError(f"{library} is no Python module: remove it and run again")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _digest(name: str) -> str:
    """Names the build after its source, the core's declarations and the interpreter: a stale one is never loaded."""
    sources = [ROOT / "bench" / f"{name}.pyx", *sorted((ROOT / "engine" / "core").glob("*.pxd"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources) + sys.version.encode()).hexdigest()[:16]


def _compile(name: str, library: Path) -> None:
    from Cython.Build import cythonize
    from setuptools import Distribution, Extension
    from setuptools.command.build_ext import build_ext

    extension = Extension(name, [str(ROOT / "bench" / f"{name}.pyx")],
                          extra_compile_args=["-O3", "-fno-strict-aliasing", "-Wno-unused-function"])
    modules = cythonize(
        [extension], include_path=[str(ROOT)], compiler_directives=DIRECTIVES, build_dir=str(BUILD), quiet=True,
        force=True)
    command = build_ext(Distribution({"ext_modules": modules}))
    command.build_lib, command.build_temp = str(BUILD), str(BUILD)
    command.ensure_finalized()
    command.run()
    Path(command.get_ext_fullpath(name)).replace(library)
