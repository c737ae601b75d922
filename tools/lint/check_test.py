"""Tests of the checks: a small clean tree, and each breach made in it."""

import os
import subprocess
import sys
import tempfile
import unittest

import check
from cycles import cycles
from layers import Layers
from tree import Tree, is_test

_LAYERS = """
base:
proto:
kernels/api:  base      # a comment
kernels/ref:  kernels/api base
kernels:      kernels/api base
tests:        base kernels
"""
_PRIVATE = 'package(default_visibility = ["//visibility:private"])\n'


def _header(path, body="", includes=()):
    guard = "RM_" + path.upper().replace("/", "_").replace(".", "_") + "_"
    lines = "".join(f'#include "{include}"\n' for include in includes)
    return f"#ifndef {guard}\n#define {guard}\n// Says\n// why.\n{lines}{body}#endif  // {guard}\n"


class TreeCase(unittest.TestCase):
    """A clean tree in a temporary folder; `put` changes a file of it."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        self.put("tools/lint/layers.txt", _LAYERS)
        self.put("BUILD", _PRIVATE + "\n" + Layers(_LAYERS).package_groups())
        self.put("base/BUILD", _PRIVATE + 'x("a.h", "b.h", "a_test.cc")')
        self.put("base/a.h", _header("base/a.h"))
        self.put("base/b.h", _header("base/b.h", includes=["base/a.h", "absl/strings/cord.h"]))
        self.put("base/a_test.cc", "int a;\n" * 200)
        self.put("kernels/api/BUILD", _PRIVATE + 'x("op.h")')
        self.put("kernels/api/op.h", _header("kernels/api/op.h", includes=["base/a.h"]))
        self.put("kernels/ref/BUILD", _PRIVATE + 'x("op.h")')
        self.put("kernels/ref/op.h", _header("kernels/ref/op.h", includes=["kernels/api/op.h"]))
        self.put("proto/BUILD", _PRIVATE + 'x("job.proto")')
        self.put("proto/job.proto", "")

    def put(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)

    def breaches(self):
        return [str(breach) for breach in check.all_breaches(Tree(self.root))]

    def assert_breach(self, start, *words):
        """Exactly one breach, that begins with `start` and holds `words`."""
        found = self.breaches()
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(start), found)
        for word in words:
            self.assertIn(word, found[0])


class LayersTest(TreeCase):

    def test_a_clean_tree_has_no_breach(self):
        self.assertEqual(self.breaches(), [])

    def test_refuses_an_include_that_points_up(self):
        self.put("base/a.h", _header("base/a.h", includes=["kernels/ref/op.h"]))
        found = self.breaches()
        self.assertIn("base/a.h:5: base may not include kernels/ref (kernels/ref/op.h)", found[0])

    def test_refuses_an_include_of_a_sibling(self):
        self.put("kernels/api/op.h", _header("kernels/api/op.h", includes=["kernels/ref/op.h"]))
        self.assertTrue(any("kernels/api may not include kernels/ref" in b for b in self.breaches()))

    def test_refuses_generated_code_of_a_hidden_proto(self):
        for name in ["proto/job.pb.h", "proto/job.grpc.pb.h"]:
            self.put("kernels/api/op.h", _header("kernels/api/op.h", includes=[name]))
            self.assert_breach("kernels/api/op.h:5: kernels/api may not include proto", "job.proto")

    def test_lets_tests_include_what_bazel_lets_them(self):
        self.put("base/a_test.cc", '#include "kernels/ref/op.h"\n' + "int a;\n" * 200)
        self.assertEqual(self.breaches(), [])

    def test_refuses_a_folder_without_a_line(self):
        self.put("gossip/BUILD", _PRIVATE + 'x("a.h")')
        self.put("gossip/a.h", _header("gossip/a.h"))
        self.assert_breach("gossip/a.h:1: folder gossip has no line")

    def test_refuses_package_groups_that_lag_behind(self):
        self.put("tools/lint/layers.txt", _LAYERS.replace("proto:", "proto: base"))
        self.assert_breach("BUILD:1: package groups differ", "--write-groups")

    def test_writes_package_groups_and_keeps_what_stands_above(self):
        self.put("BUILD", "# mine\n" + _PRIVATE)
        self.assertEqual(len(self.breaches()), 1)
        for _ in range(2):
            check.build_files.write_groups(self.root, check.LAYERS)
            self.assertEqual(self.breaches(), [])
        self.assertTrue(Tree(self.root).builds["BUILD"].startswith("# mine\n"))

    def test_a_group_holds_the_folders_that_may_use_it(self):
        groups = Layers(_LAYERS).package_groups()
        expected = ('    name = "users_of_kernels_api",\n    packages = [\n        "//kernels",\n'
                    '        "//kernels/api/...",\n        "//kernels/ref/...",\n'
                    '        "//tests/...",\n    ],\n')
        self.assertIn(expected, groups)

    def test_the_longest_line_judges(self):
        rules = Layers(_LAYERS)
        for user, used, allowed in [
            ("kernels", "kernels/ref", True),  # its own line covers what lies under it
            ("kernels/api", "kernels", False),
            ("kernels/api", "kernels/api", True),
            ("kernels/other", "base", True),  # by the line of kernels
            ("tests/sim", "kernels/ref", True),
            ("base", "proto", False),
            ("unknown", "base", False),
        ]:
            with self.subTest(f"{user} -> {used}"):
                self.assertEqual(rules.may_include(user, used), allowed)

    def test_refuses_malformed_lines(self):
        for text in ["base", "base:\nbase:"]:
            with self.assertRaisesRegex(ValueError, "line [12]: "):
                Layers(text)


class IncludesTest(TreeCase):

    def test_refuses_a_cycle_of_files(self):
        self.put("base/a.h", _header("base/a.h", includes=["base/b.h"]))
        self.assert_breach("base/a.h:5: file cycle: base/a.h base/b.h", "limit 0")

    def test_refuses_a_cycle_of_folders(self):
        self.put("tools/lint/layers.txt", _LAYERS.replace("base:", "base: kernels"))
        check.build_files.write_groups(self.root, check.LAYERS)
        self.put("base/b.h", _header("base/b.h", includes=["kernels/api/op.h"]))
        found = self.breaches()
        self.assertTrue(any("folder cycle: base kernels/api;" in b for b in found), found)
        self.assertFalse(any("file cycle" in b for b in found), found)

    def test_refuses_relative_and_missing_includes(self):
        for include, words in [("a.h", 'is relative; write "base/a.h"'),
                               ("base/gone.h", "no such file: base/gone.h")]:
            self.put("base/b.h", _header("base/b.h", includes=[include]))
            self.assert_breach("base/b.h:5: ", words)

    def test_finds_all_cycles_of_a_graph(self):
        chain = [(n, n + 1) for n in range(5000)]
        for edges, expected in [
            ([], []),
            ([(1, 2), (2, 3), (1, 3)], []),
            ([(1, 2), (2, 1)], [{1, 2}]),
            ([(1, 2), (2, 3), (3, 1), (3, 4), (4, 5), (5, 4)], [{4, 5}, {1, 2, 3}]),
            (chain, []),
            (chain + [(5000, 0)], [set(range(5001))]),
        ]:
            self.assertEqual(cycles(edges), expected)


class StyleTest(TreeCase):

    def test_refuses_a_long_function(self):
        for lines, count in [(70, 0), (71, 1)]:
            body = "void F() {\n" + "  g();\n" * (lines - 2) + "}\n" + "int H() { return 1; }\n" * 30
            self.put("base/a.h", _header("base/a.h", body + "// why\n" * 100))
            found = self.breaches()
            self.assertEqual(len(found), count, found)
        self.assertEqual(found[0].split("; ")[0], "base/a.h:5: F has 71 lines, limit 70")

    def test_refuses_deep_nesting(self):
        for depth, count in [(5, 0), (6, 1)]:
            body = "void F() {\n" + "if (a) {\n" * depth + "}\n" * depth + "}\n" + "int H() { }\n" * 30
            self.put("base/a.h", _header("base/a.h", body + "// why\n" * 100))
            found = self.breaches()
            self.assertEqual(len(found), count, found)
        self.assertIn("base/a.h:5: F nests 6 deep, limit 5", found[0])

    def test_refuses_a_long_file(self):
        self.put("base/a_test.cc", "int a;\n" * 800)
        self.assertEqual(self.breaches(), [])
        self.put("base/a_test.cc", "int a;\n" * 801)
        self.assert_breach("base/a_test.cc:801: 801 lines, limit 800")

    def test_refuses_throw_outside_of_tests(self):
        self.put("base/a_test.cc", "void F() { throw 1; }\n" * 200)
        self.assertEqual(self.breaches(), [])
        self.put("base/a.h", _header("base/a.h", '// throw\nauto s = "throw";\n'))
        self.assertEqual(self.breaches(), [])
        self.put("base/a.h", _header("base/a.h", "inline int F() { throw 1; }\n"))
        self.assert_breach("base/a.h:5: throw, limit 0", "absl::Status")

    def test_refuses_a_foreign_include_guard(self):
        self.put("base/a.h", _header("base/b.h"))
        self.assert_breach("base/a.h:1: include guard is not RM_BASE_A_H_")

    def test_refuses_numbers_of_the_tree_beyond_their_limits(self):
        lines = "// why\n" * 100
        cases = [
            ("base/a.h", "int x;\n" * 20, "comment share"),
            ("base/a.h", "int x;\n" * 2000 + "// why\n" * 1000, "file length, 95th"),
            ("base/a.h", lines + "int F() {\n\n\n\n\n\n\n\n}\n", "function length, median"),
            ("base/a.h", lines + "void F() {{{{{ }}}}}\n", "nesting, 95th percentile is 4"),
            ("base/a.h", lines + "// TODO\n", "TODO per 1000"),
            ("base/a.h", lines + "#if A\n#endif\n", "#if per 1000"),
            ("base/a_test.cc", "", "test code per line of source is 0, limit at least 1"),
        ]
        for path, text, words in cases:
            with self.subTest(words):
                self.setUp()
                self.put(path, _header(path, text) if path.endswith(".h") else text)
                self.assertTrue(any(b.startswith("tree:0: ") and words in b
                                    for b in self.breaches()), self.breaches())

    def test_tells_tests_from_sources(self):
        for path, expected in [("base/a_test.cc", True), ("tests/sim/world.cc", True),
                               ("examples/x.cc", True), ("base/testing.h", True),
                               ("runtime/mock_clock.h", True), ("base/latest.cc", False),
                               ("tools/bench/train.cc", False), ("base/fakes.h", False)]:
            self.assertEqual(is_test(path), expected, path)


class BuildFilesTest(TreeCase):

    def test_refuses_what_is_not_private(self):
        self.put("base/BUILD", 'x("a.h", "b.h", "a_test.cc")')
        self.assert_breach("base/BUILD:1: not private by default")

    def test_refuses_targets_visible_to_all(self):
        public = _PRIVATE + 'x("a.h", "b.h", "a_test.cc",\n visibility = ["//visibility:public"])'
        self.put("base/BUILD", public)
        self.assert_breach("base/BUILD:3: visible to all")

    def test_refuses_targets_without_our_warnings(self):
        self.put("base/BUILD", _PRIVATE + 'cc_library(name = "a")\nx("a.h", "b.h", "a_test.cc")')
        self.assert_breach("base/BUILD:2: cc_library lacks our warnings")

    def test_refuses_files_that_no_target_names(self):
        self.put("base/c.cc", "int x;\n")
        self.assert_breach("base/c.cc:1: no target names it; add it to base/BUILD")

    def test_refuses_files_without_a_build_file(self):
        self.put("kernels/new.h", _header("kernels/new.h"))
        self.assert_breach("kernels/new.h:1: no target names it; add it to kernels/BUILD")

    def test_does_not_read_comments(self):
        self.put("base/c.cc", "int x;\n")
        self.put("base/BUILD", _PRIVATE + '# "c.cc" //visibility:public\nx("a.h","b.h","a_test.cc")')
        self.assert_breach("base/c.cc:1: no target names it")


class CommandTest(TreeCase):

    def run_check(self):
        script = os.path.abspath(check.__file__)
        return subprocess.run([sys.executable, script, "--root", self.root, "--numbers"],
                              stdout=subprocess.PIPE, universal_newlines=True, check=False)

    def test_exit_status_tells(self):
        clean = self.run_check()
        self.assertEqual(clean.returncode, 0, clean.stdout)
        self.assertIn("lint: 5 files, 0 breaches", clean.stdout)
        self.put("base/c.cc", "int x;\n")
        dirty = self.run_check()
        self.assertEqual(dirty.returncode, 1)
        self.assertIn("base/c.cc:1: ", dirty.stdout)

    def test_does_not_read_outputs_and_data(self):
        for path in ["dist/a.cc", "data/b.cc", ".bz/c.cc", "bazel-out/d.cc"]:
            self.put(path, "throw")
        self.assertEqual(self.breaches(), [])


if __name__ == "__main__":
    unittest.main()
