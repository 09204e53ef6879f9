"""Every state of every page, rendered from made-up shapes: python -m tools.storybook [PORT]"""

import sys

import uvicorn

from tools.storybook.app import storybook

if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8800
    print(f"The storybook is at http://127.0.0.1:{port}/")
    uvicorn.run(storybook(), host="127.0.0.1", port=port, log_level="warning")
