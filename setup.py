"""Builds the native modules. ENGINE_BUILD = release (default) | trace (coverage) | sanitize (ASan and UBSan).

Compiler directives stand here once; a `# cython:` header in a file needs a reason beside it.
"""
import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

BUILD = os.environ.get("ENGINE_BUILD", "release")
if BUILD not in ("release", "trace", "sanitize"):
    raise SystemExit(f"ENGINE_BUILD={BUILD}: use release, trace or sanitize")

DIRECTIVES = {
    "language_level": 3, "boundscheck": False, "wraparound": False, "initializedcheck": False, "cdivision": True,
    "embedsignature": True, "warn.unused": True, "warn.maybe_uninitialized": True,
}
COMPILE, LINK, MACROS = ["-O3", "-fno-strict-aliasing", "-fno-tree-slp-vectorize", "-Wno-unused-function"], [], []
if BUILD == "trace":
    DIRECTIVES["linetrace"] = True
    MACROS = [("CYTHON_TRACE", "1"), ("CYTHON_TRACE_NOGIL", "1")]
if BUILD == "sanitize":  # -fno-wrapv: CPython's own flags hold -fwrapv, which would switch the overflow check off
    COMPILE = ["-O1", "-g", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-wrapv"]
    LINK = ["-fsanitize=address,undefined"]


# Here `inline` is an order: the compiler finds what has two callers too long to draw in. W1 is 1.05 times as fast.
HOT = {"engine.core.dispatch", "engine.core.plain"}
DRAWN_IN = [("CYTHON_INLINE", "__inline__ __attribute__((always_inline))")]


def extension(path: Path) -> Extension:
    name = ".".join(path.with_suffix("").parts)
    macros = MACROS + DRAWN_IN if name in HOT and BUILD == "release" else MACROS
    return Extension(name, [str(path)], define_macros=macros, extra_compile_args=COMPILE, extra_link_args=LINK)


FOLDERS = ("engine", "gateway", "workers")
MODULES = [extension(path) for folder in FOLDERS for path in sorted(Path(folder).rglob("*.pyx"))]
setup(ext_modules=cythonize(MODULES, compiler_directives=DIRECTIVES, force=BUILD != "release"))
