"""The command line, what starts a venue's processes, and the tools around them. Settings that must precede all imports.

numpy's matrix library starts a thread per core as it is loaded, which takes as long as loading all else of numpy;
nothing here multiplies matrices. Whoever wants more threads sets the variable.
"""
import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
