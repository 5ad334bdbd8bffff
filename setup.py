"""Builds the native modules. ENGINE_BUILD = release (default) | trace (coverage) | sanitize (ASan and UBSan).

ENGINE_ARCH = native (default: the hot modules use AVX2 and BMI where this machine has them) | portable (what is built
runs on any processor of this kind, as images and wheels for others must). A change of either wants a clean tree.

Compiler directives stand here once; a `# cython:` header in a file needs a reason beside it.
"""
import os
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

BUILD = os.environ.get("ENGINE_BUILD", "release")
if BUILD not in ("release", "trace", "sanitize"):
    raise SystemExit(f"ENGINE_BUILD={BUILD}: use release, trace or sanitize")
ARCH = os.environ.get("ENGINE_ARCH", "native")
if ARCH not in ("native", "portable"):
    raise SystemExit(f"ENGINE_ARCH={ARCH}: use native or portable")

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
# Fewer instructions for the same: W1 and W2 are 1.05 times as fast. engine.core.dispatch checks it when it is loaded.
WIDE = {"avx2": "-mavx2", "bmi1": "-mbmi", "bmi2": "-mbmi2", "abm": "-mlzcnt"}


def wide() -> list[str]:
    """The compiler's options for what this machine's processor has, if that is all of WIDE."""
    cpuinfo = Path("/proc/cpuinfo")
    has = set(cpuinfo.read_text().split()) if ARCH == "native" and cpuinfo.exists() else set()
    return list(WIDE.values()) if has.issuperset(WIDE) else []


def extension(path: Path) -> Extension:
    name = ".".join(path.with_suffix("").parts)
    hot = name in HOT and BUILD == "release"
    return Extension(name, [str(path)], define_macros=MACROS + DRAWN_IN if hot else MACROS,
                     extra_compile_args=COMPILE + wide() if hot else COMPILE, extra_link_args=LINK)


FOLDERS = ("engine", "gateway", "workers")
MODULES = [extension(path) for folder in FOLDERS for path in sorted(Path(folder).rglob("*.pyx"))]
setup(ext_modules=cythonize(MODULES, compiler_directives=DIRECTIVES, force=BUILD != "release"))
