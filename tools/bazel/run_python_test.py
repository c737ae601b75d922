#!/usr/bin/env python3
"""Runs one file of unit tests and, under `bazel test`, writes JUnit XML with each test method.

Usage: run_python_test.py FILE [NAME…]
"""

import os
import sys
import time
import unittest
from xml.etree import ElementTree


class _Recorder(unittest.TextTestResult):
    """Keeps one <testcase> a test method."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cases = []

    def startTest(self, test):
        super().startTest(test)
        self._started = time.monotonic()
        self._problems = []

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._problems.append(("failure", self._exc_info_to_string(err, test)))

    def addError(self, test, err):
        super().addError(test, err)
        if isinstance(test, unittest.TestCase):
            self._problems.append(("error", self._exc_info_to_string(err, test)))
        else:  # a setUpClass or a module that does not load: no startTest, no stopTest
            self._record(str(test), 0, [("error", self._exc_info_to_string(err, test))])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            text = f"{subtest}\n{self._exc_info_to_string(err, test)}"
            self._problems.append(("failure", text))

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._problems.append(("failure", "passed, but was expected to fail"))

    def stopTest(self, test):
        super().stopTest(test)
        self._record(test.id(), time.monotonic() - self._started, self._problems)

    def _record(self, name, seconds, problems):
        case = ElementTree.Element("testcase", name=name, time=f"{seconds:.3f}",
                                   classname=os.environ.get("TEST_TARGET", ""))
        for kind, text in problems:
            ElementTree.SubElement(case, kind, message=kind).text = text
        self.cases.append(case)


def _write_xml(path, cases):
    failed = sum(len(case) > 0 for case in cases)
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite", tests=str(len(cases)), errors="0",
                                   failures=str(failed), name=os.environ.get("TEST_TARGET", ""))
    suite.extend(cases)
    ElementTree.ElementTree(suites).write(path, encoding="utf-8", xml_declaration=True)


def main(argv):
    sys.dont_write_bytecode = True
    path = os.path.abspath(argv[1])
    sys.path[0] = os.path.dirname(path)
    module = __import__(os.path.splitext(os.path.basename(path))[0])
    loader = unittest.TestLoader()
    names = argv[2:]
    suite = loader.loadTestsFromNames(names, module) if names else loader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(resultclass=_Recorder, verbosity=1).run(suite)
    if os.environ.get("XML_OUTPUT_FILE"):
        _write_xml(os.environ["XML_OUTPUT_FILE"], result.cases)
    if result.testsRun == 0:
        print(f"{argv[1]}: no tests in it")
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
