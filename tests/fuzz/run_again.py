"""One process that reads the inputs in a folder again and again: python -m tests.fuzz.run_again TARGET FOLDER INPUTS

Prints by how many bytes it grew meanwhile.
"""
import sys
from pathlib import Path

from tests.fuzz.plain import grown_bytes
from tests.fuzz.targets import TARGETS


def main() -> None:
    """Inputs that break the target are the fuzzer's to tell of; here they end the process."""
    name, folder, inputs = sys.argv[1:]
    corpus = [file.read_bytes() for file in Path(folder).iterdir() if file.is_file()]
    print(grown_bytes(TARGETS[name], corpus, int(inputs)))


if __name__ == "__main__":
    main()
