"""The console's TypeScript, strict.

zan-test: timeout=60
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import BUILD, installed, twin_server


def run():
    work = os.path.join(BUILD, "console", "work")   # a copy of console/, with its packages
    if not os.path.isdir(os.path.join(work, "node_modules")):
        twin_server.skip("zan was built without its console")
    done = subprocess.run(["node", os.path.join(installed(), "node_modules", "typescript", "bin", "tsc"), "-p", work],
                          capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout


twin_server.main(run)
