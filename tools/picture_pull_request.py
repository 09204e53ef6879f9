"""Take a picture of a page of the rehearsal, as docs/pull_request/ shows the demo's pull requests.

bridge rehearse --stay                        # or with --fault worse-model; tells the addresses
python tools/picture_pull_request.py PATH/chromium ADDRESS docs/pull_request/better.png
"""

import subprocess
import sys

import httpx

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars")
WINDOW = "--window-size=860,960"


def main(chromium: str, page: str, target: str) -> None:
    httpx.get(page, trust_env=False).raise_for_status()
    subprocess.run([chromium, *FLAGS, WINDOW, f"--screenshot={target}", page], check=True)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
