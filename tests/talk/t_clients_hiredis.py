"""hiredis, compiled here against the library as installed.

zan-test: timeout=120
"""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "twin"))
import server


def main():
    compiler = shutil.which("cc")
    if compiler is None or not os.path.exists("/usr/include/hiredis/hiredis.h"):
        server.skip("no compiler or no hiredis")
    program = os.path.join(server.directory(), "clients_hiredis")
    subprocess.run([compiler, "-std=gnu17", "-O1", "-Wall", "-Wextra",
                    os.path.join(HERE, "clients_hiredis.c"), "-o", program, "-lhiredis"],
                   check=True)
    with server.Server() as zan:
        subprocess.run([program, str(zan.port)], check=True, timeout=60)


server.main(main)
