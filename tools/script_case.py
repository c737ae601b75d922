"""What the tests of the scripts share: a copy of the scripts in a tree of its own, and programs in front
of the real ones that do what a case says and note how they were called."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

_TOOLS = os.path.dirname(os.path.abspath(__file__))


class ScriptCase(unittest.TestCase):
    """`self.root` is a checkout with the named scripts; `self.calls()` is what the fakes noted."""

    scripts = ()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.realpath(folder.name)
        self.root = os.path.join(self.folder, "a checkout")
        self.bin = os.path.join(self.folder, "bin")
        self.log = os.path.join(self.folder, "calls")
        os.makedirs(self.bin)
        for script in ("bazel/shell.sh",) + tuple(self.scripts):
            target = os.path.join(self.root, "tools", script)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy(os.path.join(_TOOLS, script), target)
        self.environment = {"PATH": self.bin + ":/usr/bin:/bin", "HOME": self.folder,
                            "LOG": self.log, "LANG": "C.UTF-8"}

    def put(self, path, text):
        """Writes a file of the checkout."""
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        return full

    def fake(self, path, body=""):
        """A program (absolute path, or a name found first) that notes its call and runs `body`."""
        full = os.path.join(self.bin, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        name = os.path.basename(path)
        with open(full, "w", encoding="utf-8") as file:
            file.write(f'#!/bin/bash\necho "{name} $*" >>"$LOG"\n{body}\n')
        os.chmod(full, 0o755)

    def calls(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as file:
            return file.read().splitlines()

    def start(self, script, *args):
        # Its own session, so that what it leaves behind can be found.
        return subprocess.Popen([os.path.join(self.root, "tools", script), *args],
                                env=self.environment, cwd="/", start_new_session=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                universal_newlines=True)

    def run_script(self, script, *args):
        """Exit status, stdout and stderr; fails when a process stays behind."""
        process = self.start(script, *args)
        out, err = process.communicate(timeout=50)
        self.assert_nothing_left(process)
        return process.returncode, out, err

    def interrupt(self, process, number, when):
        """Sends a signal once the fakes noted `when`; the script's exit status and stderr."""
        self.wait_until(lambda: when in self.calls(), f"{when} was never called: {self.calls()}")
        process.send_signal(number)
        _, err = process.communicate(timeout=50)
        self.assert_nothing_left(process)
        return process.returncode, err

    def wait_until(self, condition, message):
        deadline = time.monotonic() + 30
        while not condition():
            self.assertLess(time.monotonic(), deadline, message)
            time.sleep(0.01)

    def assert_nothing_left(self, process):
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        # A child that was just killed may not be collected yet.
        self.wait_until(lambda: not _running(process.pid), "a process stays behind")

    def signals(self):
        return signal.SIGINT, signal.SIGTERM, signal.SIGHUP


def _running(session):
    """Processes of a session that are not yet dead."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(name))
    return found
