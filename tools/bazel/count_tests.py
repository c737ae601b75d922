#!/usr/bin/env python3
"""Counts test cases from what Bazel reports (--build_event_json_file).

Usage: count_tests.py EVENTS STATUS    (STATUS: Bazel's exit status)

Prints a line "failed NAME" for each failure, then "N passed, N failed". A case is a <testcase> of a
test's XML; a test that fails without a failed case (a crash, a time limit, a leak found at exit), a
target that does not build, and any other failure of Bazel itself count as one failed case. Exit status
1 when anything failed, or when nothing ran.
"""

import json
import sys
import urllib.parse
from xml.etree import ElementTree


# Bazel's exit status when all was built and some test failed.
_TESTS_FAILED = 3


class Counts:
    """The outcome of one `bazel test`, built from its events."""

    def __init__(self):
        self.passed = 0
        self.failures = []
        self._results = {}  # (label, run, shard) -> the result of the last attempt

    def take(self, event):
        """Reads one event; cases are counted at the end, in `finish`."""
        ident = event.get("id", {})
        if "testResult" in ident and "testResult" in event:
            key = ident["testResult"]
            self._results[key["label"], key.get("run", 1), key.get("shard", 1)] = event["testResult"]
        elif "targetCompleted" in ident and not event.get("completed", {}).get("success"):
            self.failures.append(ident["targetCompleted"]["label"] + ": does not build")
        elif "pattern" in ident and "aborted" in event:
            self.failures.append(" ".join(ident["pattern"]["pattern"]) + ": no such target")

    def finish(self):
        """Counts the cases of all tests that ran."""
        for (label, _, shard), result in sorted(self._results.items()):
            passed, failed = _read_cases(result)
            self.passed += passed
            self.failures += [f"{label}: {name}" for name in failed]
            if result.get("status") != "PASSED" and not failed:
                reason = result.get("status", "unknown").lower().replace("_", " ")
                self.failures.append(f"{label}, shard {shard}: {reason}, no case says why")

    @property
    def ok(self):
        return not self.failures and self.passed > 0


def _read_cases(result):
    """The number of passed cases and the names of the failed ones."""
    uris = [o.get("uri", "") for o in result.get("testActionOutput", []) if o["name"] == "test.xml"]
    if not uris:
        return 0, []
    try:
        root = ElementTree.parse(urllib.parse.unquote(uris[0][len("file://"):])).getroot()
    except (OSError, ElementTree.ParseError) as problem:
        return 0, [f"unreadable test.xml ({problem})"]
    passed, failed = 0, []
    for case in root.iter("testcase"):
        if case.find("failure") is None and case.find("error") is None:
            passed += 1
        else:
            failed.append(case.get("name", ""))
    return passed, failed


def count(lines):
    """The counts of the events in `lines`; a last line cut off by an interruption is left out."""
    counts = Counts()
    for line in lines:
        try:
            counts.take(json.loads(line))
        except ValueError:
            break
    return counts


def main(argv):
    with open(argv[1], encoding="utf-8") as file:
        counts = count(file)
    status = int(argv[2])
    if status not in (0, _TESTS_FAILED) and not counts.failures:  # a BUILD file that does not load
        counts.failures.append(f"Bazel: exit status {status}, see above")
    counts.finish()
    if not counts.passed and not counts.failures:
        counts.failures.append("no test ran")
    for failure in counts.failures:
        print("failed", failure)
    print(f"{counts.passed} passed, {len(counts.failures)} failed")
    return 0 if counts.ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv))
