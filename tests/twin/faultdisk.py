"""faultdisk.py: a mounted ext4 on a loop device on tests/fuse/faultdisk.c."""
import os
import subprocess
import time

from faults import build
from server import die_with_the_test, directory, skip


def sh(*words, check=True):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode != 0:
        raise AssertionError("%s: %s" % (" ".join(words), done.stdout.strip()))
    return done.stdout.strip() if done.returncode == 0 else None


def _flags(package):
    return (sh("pkg-config", "--cflags", "--libs", package, check=False) or "").split()


class FaultDisk:
    """path is where the file system is. Skips the test where the machine does not allow it."""

    def __init__(self, mib):
        if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
            skip("this needs root and /dev/fuse")
        flags = _flags("fuse3")
        if not flags:
            skip("this needs libfuse3-dev")
        program = build("fuse/faultdisk.c", *flags)
        self.fuse, self.path = directory("zan-fuse-"), directory("zan-disk-")
        self.loop, self.mounted = None, False
        self.process = subprocess.Popen([program, str(mib), self.fuse, "-f"],
                                        stderr=subprocess.DEVNULL,
                                        preexec_fn=die_with_the_test)
        for _ in range(200):
            if os.path.exists(self.fuse + "/control"):
                break
            if self.process.poll() is not None:
                skip("FUSE does not work here")
            time.sleep(0.01)
        try:
            self.format()
        except AssertionError as error:
            self.close()
            skip("loop devices do not work here: %s" % error)

    def format(self):
        """A new, empty file system, as a replaced disk has it."""
        self.detach()
        self.loop = sh("losetup", "-f", "--show", self.fuse + "/disk")
        sh("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.loop)
        self.mount()

    def mount(self):
        if self.loop is None:
            self.loop = sh("losetup", "-f", "--show", self.fuse + "/disk")
        sh("mount", self.loop, self.path)
        self.mounted = True

    def detach(self):
        """Nothing the kernel still holds of the disk stays: the next mount reads the medium."""
        if self.mounted:
            sh("umount", self.path, check=False) is not None or \
                sh("umount", "-l", self.path, check=False)
            self.mounted = False
        if self.loop is not None:
            sh("losetup", "-d", self.loop, check=False)
            for _ in range(500):
                if self.loop not in (sh("losetup", "-a") or ""):
                    break
                time.sleep(0.01)
            self.loop = None

    def remount(self):
        """True if the file system could be mounted again (repaired by fsck if need be)."""
        self.detach()
        try:
            self.mount()
            return True
        except AssertionError:
            subprocess.run(["e2fsck", "-fy", self.loop], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            try:
                self.mount()
                return True
            except AssertionError:
                return False

    def control(self, command):
        with open(self.fuse + "/control", "w") as file:
            file.write(command)

    def numbers(self):
        with open(self.fuse + "/control") as file:
            return dict(zip(("writes", "flushes", "unflushed", "fired"),
                            map(int, file.read().split())))

    def close(self):
        self.detach()
        subprocess.run(["umount", "-l", self.fuse], stderr=subprocess.DEVNULL)
        self.process.terminate()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.control("heal")
            self.control("power 0 keep")
        except OSError:
            pass
        self.close()
