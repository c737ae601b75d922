"""Tests of the gate on per-ISA objects: what a linker may share between ISAs is refused."""

import os
import subprocess
import tempfile
import unittest

_GATE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "isa_symbols_test.sh")
_PLAIN = "namespace v4 { float Sum(const float* a, int n) { float s = 0; while (n--) s += a[n]; return s; } }"


class GateTest(unittest.TestCase):

    def run_gate(self, *sources):
        """Exit status and output for one archive a source."""
        with tempfile.TemporaryDirectory() as folder:
            archives = []
            for number, source in enumerate(sources):
                path = os.path.join(folder, str(number))
                with open(path + ".cc", "w", encoding="utf-8") as file:
                    file.write(source)
                subprocess.run(["g++", "-c", "-O1", "-o", path + ".o", path + ".cc"], check=True)
                subprocess.run(["ar", "rcs", path + ".a", path + ".o"], check=True)
                archives.append(path + ".a")
            done = subprocess.run([_GATE, *archives], stdout=subprocess.PIPE, check=False,
                                  universal_newlines=True)
            return done.returncode, done.stdout

    def test_plain_functions_pass(self):
        self.assertEqual(self.run_gate(_PLAIN, _PLAIN.replace("v4", "v3")), (0, ""))

    def test_refuses_shared_symbols_in_any_archive(self):
        for source, symbol in [
            ("inline int Twice(int a) { return 2 * a; } int (*F())(int) { return &Twice; }", "Twice(int)"),
            ("#include <vector>\nvoid G(std::vector<int>& v) { v.push_back(1); }", "std::vector<int"),
            ("template <class T> struct S { static T value; }; template <class T> T S<T>::value; "
             "int* H() { return &S<int>::value; }", "S<int>::value"),
        ]:
            with self.subTest(symbol):
                for sources in [(source,), (_PLAIN, source)]:
                    status, out = self.run_gate(*sources)
                    self.assertEqual(status, 1)
                    self.assertIn(symbol, out)
                    self.assertIn("limit 0", out)


if __name__ == "__main__":
    unittest.main()
