"""A virtual environment per client library, made once under build/clients and again when what is wanted changes.

The package comes from the index that pip is configured for, as it is there: two libraries own the same import name, so
they cannot share an environment.
"""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "clients"
INSTALL_SECONDS_MAX = 900


def python_with(*requirements: str) -> Path:
    """The interpreter of an environment that has these packages and nothing of ours."""
    home = FOLDER / "-".join(requirements).translate(str.maketrans("<>=~ ", "_____"))
    python, stamp = home / "bin" / "python", home / "complete"
    if not stamp.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True, timeout=INSTALL_SECONDS_MAX)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements],
                       check=True, timeout=INSTALL_SECONDS_MAX)
        stamp.touch()
    return python
