"""Tests of the C++ reader: what is code, what is a function, how deep it nests."""

import unittest

from cpp import Source


def functions(text):
    return [(f.name, f.line, f.length, f.nesting) for f in Source(text).functions]


class LinesTest(unittest.TestCase):

    def test_counts_code_and_comment_lines(self):
        cases = [
            ("// a\n\nint x;  // b\n", 1, 1),
            ("/* a\n\n b */\nint x;\n", 1, 3),
            ('const char* s = "// no comment";\n', 1, 0),
            ('auto s = R"(\n// text\n)";\n', 3, 0),
            ('auto s = R"x(\n)"\n// text\n)x";\n', 4, 0),
            ("char c = '\"'; // a\n// b\n", 1, 1),
            ("int n = 1'000'000;\n// c\n", 1, 1),
            ('f("\\"", 1);\n// c\n', 1, 1),
            ("int x;\n// no newline at the end", 1, 1),
            ("", 0, 0),
        ]
        for text, code, comment in cases:
            with self.subTest(text):
                source = Source(text)
                self.assertEqual((source.code_lines, source.comment_lines), (code, comment))

    def test_blanking_keeps_every_line_and_column(self):
        text = 'int a; /* x\n y */ f("abc", \'d\'); // z\nauto r = R"q(1\n2)q";\n'
        code = Source(text).code
        self.assertEqual([len(line) for line in code.split("\n")],
                         [len(line) for line in text.split("\n")])
        self.assertNotIn("abc", code)
        self.assertNotIn("y", code)

    def test_finds_unfinished_work_in_comments_only(self):
        self.assertEqual(Source('int TODO;\n"FIXME"; // TODO: x\n/* a\n XXX */\n').todo_lines, [2, 3])

    def test_finds_words_in_code_only(self):
        source = Source('// throw\nf("throw");\nint throwing;\nthrow 1;\n')
        self.assertEqual(source.lines_with("throw"), [4])

    def test_finds_conditions(self):
        text = "#ifndef A\n#define A\n # if B\n#elif C\n#else\n#endif\n// #if\n"
        self.assertEqual(Source(text).conditional_lines(), [1, 3, 4])

    def test_reads_includes(self):
        text = '#include "a/b.h"\n// #include "no.h"\n/*\n#include "no.h"\n*/\n #  include <c.h>\n'
        self.assertEqual([tuple(i) for i in Source(text).includes],
                         [("a/b.h", 1, True), ("c.h", 6, False)])


class FunctionsTest(unittest.TestCase):

    def test_measures_a_function_from_brace_to_brace(self):
        self.assertEqual(functions("int\nF(int a,\n  int b) {\n  return a;\n}\n"), [("F", 3, 3, 0)])

    def test_counts_blocks_as_nesting_but_not_initializers(self):
        cases = [
            ("void F() { if (x) { for (;;) { y(); } } }", 2),
            ("void F() { int a[] = {1, 2}; T t{3}; g({4, {5}}); }", 0),
            ("void F() { auto l = [&](int a) { if (a) { } }; }", 2),
            ("void F() { switch (a) { case 1: { b(); } } }", 2),
            ("void F() { try { } catch (E& e) { do { } while (x); } }", 2),
            ("void F() { { int scoped; } }", 1),
        ]
        for text, depth in cases:
            with self.subTest(text):
                self.assertEqual([f.nesting for f in Source(text).functions], [depth])

    def test_names_functions(self):
        cases = [
            ("absl::StatusOr<int> A::Parse(absl::string_view s) const { }", "A::Parse"),
            ("A::A(int x) : x_(x), y_{1} { }", "A::A"),
            ("A::~A() { }", "A::~A"),
            ("struct B F() { }", "F"),
            ("template <typename T> T Max(T a, T b) { }", "Max"),
            ("auto F(int a) -> std::vector<int> { }", "F"),
            ("static inline int F() noexcept { }", "F"),
            ("void F() RM_GUARDED(mu) { }", "F"),
        ]
        for text, name in cases:
            with self.subTest(text):
                self.assertEqual([f.name for f in Source(text).functions], [name])

    def test_sees_members_but_no_types_and_tables(self):
        text = ("namespace a {\nclass B final : public C {\n public:\n  int F() { return 1; }\n"
                "  enum E { kA, kB };\n};\nconstexpr int kTable[] = {1, 2};\n"
                "const std::map<int, int> kMap = {{F(1), 2}};\n}  // namespace a\n")
        self.assertEqual(functions(text), [("F", 4, 1, 0)])

    def test_reads_both_arms_of_a_condition(self):
        text = "void F() {\n#if A\n  if (x) {\n#else\n  if (y) {\n#endif\n    z();\n  }\n}\nint G() { }\n"
        self.assertEqual(functions(text), [("F", 1, 9, 1), ("G", 10, 1, 0)])

    def test_is_not_misled_by_braces_in_strings_and_macros(self):
        text = 'void F() {\n  g("}");\n  h(\'}\');\n#define M {{{ \\\n  {{\n  // }\n}\nint G() { }\n'
        self.assertEqual([(f[0], f[2]) for f in functions(text)], [("F", 7), ("G", 1)])


if __name__ == "__main__":
    unittest.main()
