"""Read every wheel of the folders that are named, as the bridge reads a model's: sound, or why not.

    python -m tools.try_wheels FOLDER…

For wheels that are known to be good: what is told of one of those is a mistake of ours, or of its
builder. What a model's wheel may bring beyond being sound is not asked.
"""

import sys
from pathlib import Path

from bridge.archive import Odd
from bridge.wheel import read


def main(folders: list[str]) -> None:
    files = [path for folder in folders for path in sorted(Path(folder).rglob("*.whl"))]
    odd = 0
    for path in files:
        try:
            read(path.read_bytes(), path.name)
        except Odd as why:
            odd += 1
            print(f"{path.name}: {why}")
    print(f"{len(files)} wheels, {odd} of them odd")


if __name__ == "__main__":
    main(sys.argv[1:])
