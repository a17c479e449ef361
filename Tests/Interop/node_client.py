"""Starts `oriel serve` for the Node.js script and runs it.

Usage: node_client.py PATH_TO_ORIEL
"""

import os
import subprocess
import sys

from oriel import Server


def main():
    server = Server(sys.argv[1]).start()
    try:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "otlp_json.mjs")
        code = subprocess.run(["node", script, server.url], timeout=300).returncode
        if code:
            print(server.log_tail())
        return code
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
