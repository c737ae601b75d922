"""Tests of tools/build and tools/test around a Bazel that does what the case says."""

import json
import os
import time
import unittest

from script_case import ScriptCase

# Python is a program with libraries of its own, which must end up beside it.
_BUILT = "mkdir -p .bz/bin/tools/ringmaster; cp -f /usr/bin/python3 .bz/bin/tools/ringmaster/ringmaster"
_LINGER = "trap 'kill $!; exit 8' TERM; sleep 60 & echo at >>$LOG; wait"


class BuildTest(ScriptCase):

    scripts = ("build",)

    def setUp(self):
        super().setUp()
        self.fake(os.path.join(self.root, "tools/setup"))
        for folder in ["base", "comm", "kernels", "proto", "runtime", "scheduler"]:
            self.put(f"{folder}/BUILD", "")
        for file in [".bazelrc", "BUILD", "WORKSPACE"]:
            self.put(file, "")
        self.dist = os.path.join(self.root, "dist/bin")
        self.fake("bazel", _BUILT)

    def bazels(self):
        return [call for call in self.calls() if call.startswith("bazel")]

    def test_places_the_program_its_links_and_its_libraries(self):
        self.assertEqual(self.run_script("build", "--no-install")[0], 0)
        self.assertEqual(self.calls()[0], "setup --no-install")
        self.assertRegex(self.bazels()[0], "--batch build .*--config=dist //tools/ringmaster:ringmaster")
        names = set(os.listdir(self.dist))
        self.assertLessEqual({"ringmaster", "trainctl", "ringmaster-coordinator", "ringmaster-worker",
                              "libz.so.1"}, names)
        self.assertFalse({"libc.so.6", "libm.so.6", "libstdc++.so.6"} & names)
        self.assertEqual(os.readlink(os.path.join(self.dist, "trainctl")), "ringmaster")
        self.assertEqual(os.stat(os.path.join(self.dist, "ringmaster")).st_mode & 0o777, 0o755)
        self.assertEqual(sorted(os.listdir(os.path.dirname(self.dist))), [".built", "bin"])

    def test_does_not_ask_bazel_when_nothing_changed(self):
        self.run_script("build")
        self.assertEqual(self.run_script("build"), (0, "", ""))
        self.assertEqual(len(self.bazels()), 1)

    def test_builds_again_what_changed(self):
        for change in [lambda: self.put("runtime/deep/new.cc", ""),
                       lambda: os.unlink(os.path.join(self.root, "runtime/deep/new.cc")),
                       lambda: os.unlink(os.path.join(self.dist, "ringmaster")),
                       lambda: self.put(".bazelrc", "build --lto")]:
            self.run_script("build")
            before = len(self.bazels())
            time.sleep(0.02)  # one tick of the file system's clock
            change()
            self.assertEqual(self.run_script("build")[0], 0)
            self.assertEqual(len(self.bazels()), before + 1)
            self.assertTrue(os.path.exists(os.path.join(self.dist, "trainctl")))

    def test_builds_again_for_another_config(self):
        self.run_script("build")
        for args in [("--config", "asan"), ("--config=tsan",), ()]:
            self.assertEqual(self.run_script("build", *args)[0], 0)
        self.assertEqual(len(self.bazels()), 4)
        self.assertIn("--config=asan", self.bazels()[1])
        self.assertNotIn("dist ", self.bazels()[1])

    def test_does_not_disturb_a_program_that_did_not_change(self):
        self.run_script("build")
        before = os.stat(os.path.join(self.dist, "ringmaster")).st_ino
        time.sleep(0.02)
        self.put("base/BUILD", "# new")
        self.run_script("build")
        self.assertEqual(os.stat(os.path.join(self.dist, "ringmaster")).st_ino, before)

    def test_a_build_that_fails_changes_nothing(self):
        self.run_script("build")
        before = os.stat(os.path.join(self.dist, "ringmaster"))
        time.sleep(0.02)
        self.put("base/BUILD", "# new")
        self.fake("bazel", _BUILT + "; echo >>.bz/bin/tools/ringmaster/ringmaster; exit 1")
        for _ in range(2):  # the failure is not remembered as a success
            status, _, err = self.run_script("build")
            self.assertEqual((status, err), (1, "tools/build: the build failed\n"))
        self.assertEqual(os.stat(os.path.join(self.dist, "ringmaster")), before)

    def test_a_setup_that_fails_builds_nothing(self):
        self.fake(os.path.join(self.root, "tools/setup"), "exit 1")
        self.assertEqual(self.run_script("build")[0], 1)
        self.assertEqual(self.bazels(), [])

    def test_two_at_the_same_time_take_turns(self):
        busy = os.path.join(self.folder, "busy")
        self.fake("bazel", f"mkdir {busy} || echo clash >>$LOG; sleep 0.3; rmdir {busy}; {_BUILT}")
        for process in [self.start("build", "--config", name) for name in ("asan", "tsan", "ubsan")]:
            process.communicate(timeout=50)
            self.assertEqual(process.returncode, 0)
        self.assertEqual(len(self.bazels()), 3)
        self.assertNotIn("clash", self.calls())

    def test_interrupted_it_ends_bazel_and_the_next_build_works(self):
        for number in self.signals():
            self.fake("bazel", _LINGER)
            status, err = self.interrupt(self.start("build"), number, "at")
            self.assertEqual((status, err), (130, "tools/build: interrupted\n"))
            self.assertEqual(os.listdir(os.path.dirname(self.dist)), ["bin"])
            os.unlink(self.log)
        self.fake("bazel", _BUILT)
        self.assertEqual(self.run_script("build")[0], 0)

    def test_interrupted_while_it_waits_for_another(self):
        self.fake("bazel", _LINGER)
        first = self.start("build")
        self.wait_until(lambda: "at" in self.calls(), "bazel was never called")
        second = self.start("build")
        self.assertIn("waits for another build", second.stderr.readline())
        second.terminate()
        second.communicate(timeout=50)
        self.assertEqual(second.returncode, 130)
        self.assert_nothing_left(second)
        first.terminate()
        first.communicate(timeout=50)
        self.assert_nothing_left(first)

    def test_refuses_unknown_arguments(self):
        self.assertEqual(self.run_script("build", "//...")[0], 2)


class TestTest(ScriptCase):

    scripts = ("test", "bazel/count_tests.py")

    def setUp(self):
        super().setUp()
        self.fake(os.path.join(self.root, "tools/setup"))
        self.bazel('<testsuite><testcase name="a"/></testsuite>', "PASSED", 0)

    def bazel(self, xml, status, code):
        path = self.put("test.xml", xml)
        event = {"id": {"testResult": {"label": "//a:t"}},
                 "testResult": {"status": status, "testActionOutput": [
                     {"name": "test.xml", "uri": "file://" + path.replace(" ", "%20")}]}}
        self.put("event", json.dumps(event) + "\n")
        self.fake("bazel", 'for a in "$@"; do case "$a" in --build_event_json_file=*) '
                           f'cp event "${{a#*=}}";; esac; done; exit {code}')

    def test_the_last_line_and_the_status_tell(self):
        self.assertEqual(self.run_script("test"), (0, "1 passed, 0 failed\n", ""))
        self.assertTrue(self.calls()[-1].endswith("-- //..."))
        self.bazel('<testsuite><testcase name="a"><failure/></testcase></testsuite>', "FAILED", 3)
        self.assertEqual(self.run_script("test"), (1, "failed //a:t: a\n0 passed, 1 failed\n", ""))

    def test_a_bazel_that_fails_is_never_a_success(self):
        self.bazel('<testsuite><testcase name="a"/></testsuite>', "PASSED", 37)
        status, out, _ = self.run_script("test")
        self.assertEqual((status, out.splitlines()[-1]), (1, "1 passed, 1 failed"))
        self.fake("bazel", "exit 1")
        status, out, _ = self.run_script("test")
        self.assertEqual((status, out.splitlines()[-1]), (1, "0 passed, 1 failed"))

    def test_hands_targets_and_config_on(self):
        self.run_script("test", "--config", "tsan", "--no-install", "//a/...", "//b:t")
        self.assertEqual(self.calls()[0], "setup --no-install")
        self.assertTrue(self.calls()[1].startswith("bazel --batch test "))
        self.assertTrue(self.calls()[1].endswith(" --config=tsan -- //a/... //b:t"))

    def test_interrupted_it_ends_bazel(self):
        for number in self.signals():
            self.fake("bazel", _LINGER)
            status, err = self.interrupt(self.start("test"), number, "at")
            self.assertEqual((status, err), (130, "tools/test: interrupted\n"))
            os.unlink(self.log)

    def test_refuses_unknown_arguments(self):
        self.assertEqual(self.run_script("test", "--frobnicate")[0], 2)


if __name__ == "__main__":
    unittest.main()
