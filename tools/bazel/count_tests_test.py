"""Tests of the closing line: every kind of failure is counted, nothing twice."""

import contextlib
import io
import json
import os
import tempfile
import unittest

import count_tests

_TWO_PASSED = '<testsuites><testsuite><testcase name="a"/><testcase name="b"/></testsuite></testsuites>'
_ONE_FAILED = ('<testsuites><testsuite><testcase name="a"/>'
               '<testcase name="b"><failure message="m"/></testcase></testsuite></testsuites>')
_ONE_ERROR = '<testsuite><testcase name="x"><error message="exit 134"/></testcase></testsuite>'


class CountTest(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.events = []

    def add_test(self, label, status, xml, shard=1, attempt=1):
        outputs = [{"name": "test.log", "uri": "file:///nowhere"}]
        if xml is not None:
            path = os.path.join(self.folder, f"a b {len(self.events)}.xml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(xml)
            outputs.append({"name": "test.xml", "uri": "file://" + path.replace(" ", "%20")})
        self.events.append({
            "id": {"testResult": {"label": label, "run": 1, "shard": shard, "attempt": attempt}},
            "testResult": {"status": status, "testActionOutput": outputs}})

    def add_target(self, label, success):
        self.events.append({"id": {"targetCompleted": {"label": label}},
                            "completed": {"success": True} if success else {}})

    def run_main(self, tail="", status=0):
        path = os.path.join(self.folder, "events")
        with open(path, "w", encoding="utf-8") as file:
            file.write("".join(json.dumps(event) + "\n" for event in self.events) + tail)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = count_tests.main(["", path, str(status)])
        return code, out.getvalue().splitlines()

    def test_counts_cases_not_targets(self):
        self.add_target("//a:t", True)
        self.add_test("//a:t", "PASSED", _TWO_PASSED)
        self.add_test("//b:t", "PASSED", _TWO_PASSED)
        self.assertEqual(self.run_main(), (0, ["4 passed, 0 failed"]))

    def test_names_failed_cases(self):
        self.add_test("//a:t", "FAILED", _ONE_FAILED)
        self.assertEqual(self.run_main(), (1, ["failed //a:t: b", "1 passed, 1 failed"]))

    def test_adds_shards(self):
        self.add_test("//a:t", "PASSED", _TWO_PASSED, shard=1)
        self.add_test("//a:t", "FAILED", _ONE_FAILED, shard=2)
        self.assertEqual(self.run_main()[1][-1], "3 passed, 1 failed")

    def test_counts_the_last_attempt_only(self):
        self.add_test("//a:t", "FAILED", _ONE_FAILED, attempt=1)
        self.add_test("//a:t", "PASSED", _TWO_PASSED, attempt=2)
        self.assertEqual(self.run_main(), (0, ["2 passed, 0 failed"]))

    def test_counts_a_crash_once(self):
        self.add_test("//a:t", "FAILED", _ONE_ERROR)
        self.assertEqual(self.run_main(), (1, ["failed //a:t: x", "0 passed, 1 failed"]))

    def test_counts_a_failure_that_no_case_shows(self):
        for status, xml in [("FAILED", _TWO_PASSED), ("TIMEOUT", None), ("REMOTE_FAILURE", None)]:
            with self.subTest(status):
                self.events = []
                self.add_test("//a:t", status, xml)
                code, lines = self.run_main()
                self.assertEqual(code, 1)
                self.assertIn(status.lower().replace("_", " "), lines[0])
                self.assertTrue(lines[-1].endswith(", 1 failed"), lines)

    def test_counts_what_does_not_build(self):
        self.add_test("//a:t", "PASSED", _TWO_PASSED)
        self.add_target("//b:t", False)
        self.assertEqual(self.run_main(),
                         (1, ["failed //b:t: does not build", "2 passed, 1 failed"]))

    def test_counts_a_target_that_is_not_there(self):
        self.events.append({"id": {"pattern": {"pattern": ["//gone:t"]}}, "aborted": {"reason": "X"}})
        self.assertEqual(self.run_main(),
                         (1, ["failed //gone:t: no such target", "0 passed, 1 failed"]))

    def test_a_failure_of_bazel_itself_is_counted_once(self):
        self.add_test("//a:t", "PASSED", _TWO_PASSED)
        self.assertEqual(self.run_main(status=1),
                         (1, ["failed Bazel: exit status 1, see above", "2 passed, 1 failed"]))
        self.add_target("//b:t", False)
        self.assertEqual(self.run_main(status=1)[1][-1], "2 passed, 1 failed")

    def test_a_failed_test_is_not_counted_as_a_failed_build_too(self):
        self.add_test("//a:t", "FAILED", _ONE_FAILED)
        self.assertEqual(self.run_main(status=3)[1][-1], "1 passed, 1 failed")

    def test_an_unreadable_result_is_a_failure(self):
        self.add_test("//a:t", "PASSED", "<testsuites><testca")
        code, lines = self.run_main()
        self.assertEqual((code, lines[-1]), (1, "0 passed, 1 failed"))

    def test_nothing_run_is_a_failure(self):
        self.assertEqual(self.run_main(), (1, ["failed no test ran", "0 passed, 1 failed"]))

    def test_reads_what_an_interruption_left(self):
        self.add_test("//a:t", "PASSED", _TWO_PASSED)
        self.assertEqual(self.run_main(tail='{"id": {"tes')[1][-1], "2 passed, 0 failed")


if __name__ == "__main__":
    unittest.main()
