"""One process of the guided fuzzing: atheris (libFuzzer) tries inputs on a target and keeps those that reach new code.

    python -m tests.fuzz.guided TARGET [options of libFuzzer] FOLDER

Python code is watched as it is imported: the gateway's, and that of the twins which native code is compared with.
"""
import sys

import atheris

with atheris.instrument_imports(include=["gateway", "websockets", "tests.gateway.test_frame_codec", "tests.fuzz"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Hand over to libFuzzer, which ends the process."""
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
