"""Tests of the runner of Python tests: a test that fails, in whatever way, is seen to fail."""

import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from xml.etree import ElementTree

_RUNNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run_python_test.py")


class RunnerTest(unittest.TestCase):

    def run_file(self, body):
        """Exit status, and (name, kinds of problems) of each case, for a file with this TestCase body."""
        with tempfile.TemporaryDirectory() as folder:
            path, xml = os.path.join(folder, "some_test.py"), os.path.join(folder, "test.xml")
            with open(path, "w", encoding="utf-8") as file:
                file.write("import unittest\nclass T(unittest.TestCase):\n" +
                           textwrap.indent(textwrap.dedent(body), "  "))
            done = subprocess.run([sys.executable, _RUNNER, path], check=False,
                                  env=dict(os.environ, XML_OUTPUT_FILE=xml),
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            cases = ElementTree.parse(xml).getroot().iter("testcase") if os.path.exists(xml) else []
            return done.returncode, [(c.get("name").split(".")[-1], [p.tag for p in c]) for c in cases]

    def test_writes_each_method_as_a_case(self):
        status, cases = self.run_file("""
            def test_a(self): pass
            def test_b(self): self.assertTrue(True)
            """)
        self.assertEqual((status, cases), (0, [("test_a", []), ("test_b", [])]))

    def test_records_every_kind_of_failure(self):
        for body, kind in [
            ("def test_a(self): self.fail('x')", "failure"),
            ("def test_a(self): raise OSError('x')", "error"),
            ("def setUp(self): raise OSError('x')\ndef test_a(self): pass", "error"),
            ("def test_a(self):\n  with self.subTest('x'): self.fail('y')", "failure"),
            ("@unittest.expectedFailure\ndef test_a(self): pass", "failure"),
        ]:
            with self.subTest(body):
                self.assertEqual(self.run_file(body), (1, [("test_a", [kind])]))

    def test_a_class_that_cannot_be_set_up_fails(self):
        status, cases = self.run_file("""
            @classmethod
            def setUpClass(cls): raise OSError("x")
            def test_a(self): pass
            """)
        self.assertEqual((status, [kinds for _, kinds in cases]), (1, [["error"]]))

    def test_a_file_without_tests_fails(self):
        self.assertEqual(self.run_file("pass")[0], 1)

    def test_a_file_that_does_not_load_fails(self):
        self.assertEqual(self.run_file("import nowhere_at_all"), (1, []))


if __name__ == "__main__":
    unittest.main()
