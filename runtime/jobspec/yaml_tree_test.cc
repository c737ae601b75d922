#include "runtime/jobspec/yaml_tree.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace rm::jobspec {
namespace {

using Kind = YamlNode::Kind;

// The tree as text: {a: [b "c" ~]}.
std::string Show(const YamlNode& node) {
  std::vector<std::string> parts;
  switch (node.kind) {
    case Kind::kNull:
      return "~";
    case Kind::kText:
      return node.quoted ? absl::StrCat("\"", node.text, "\"") : node.text;
    case Kind::kList:
      for (const YamlNode& element : node.elements) parts.push_back(Show(element));
      return absl::StrCat("[", absl::StrJoin(parts, " "), "]");
    case Kind::kMapping:
      for (const YamlMember& member : node.members) {
        parts.push_back(absl::StrCat(member.name, ": ", Show(member.value)));
      }
      return absl::StrCat("{", absl::StrJoin(parts, ", "), "}");
  }
  return "?";
}

std::string Tree(absl::string_view text) {
  const YamlTree tree = ParseYaml(text);
  INFO(text);
  REQUIRE(tree.errors.empty());
  REQUIRE(tree.complete);
  return Show(tree.root);
}

// "line:column: message" of the first error.
std::string FirstError(absl::string_view text) {
  const YamlTree tree = ParseYaml(text);
  INFO(text);
  REQUIRE_FALSE(tree.errors.empty());
  const Diagnostic& error = tree.errors[0];
  return absl::StrCat(error.line, ":", error.column, ": ", error.message);
}

TEST_CASE("mappings, lists and text are read as they stand") {
  CHECK(Tree("a: 1\nb: [x, 'y', \"z\"]\nc:\n- d: ~\n- null\n- 'null'\ne:\n") ==
        "{a: 1, b: [x \"y\" \"z\"], c: [{d: ~} ~ \"null\"], e: ~}");
  CHECK(Tree("{a: {b: {c: []}}}") == "{a: {b: {c: []}}}");
  CHECK(Tree("a: |\n  two\n  lines\nb: c") == "{a: \"two\nlines\n\", b: c}");
  CHECK(Tree("") == "~");
  CHECK(Tree("# only a comment") == "~");
  CHECK(Tree("just text") == "just text");
  CHECK(Tree("---\na: b\n...\n") == "{a: b}");
}

TEST_CASE("anchors, aliases and merge keys are resolved") {
  CHECK(Tree("a: &x {p: 1, q: 2}\nb: *x") == "{a: {p: 1, q: 2}, b: {p: 1, q: 2}}");
  CHECK(Tree("a: &x {p: 1, q: 2}\nb: {<<: *x, q: 3, r: 4}") ==
        "{a: {p: 1, q: 2}, b: {q: 3, r: 4, p: 1}}");
  CHECK(Tree("a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc: {<<: [*x, *y]}") ==
        "{a: {p: 1}, b: {p: 2, q: 2}, c: {p: 1, q: 2}}");
  CHECK(Tree("a: &x 1\nb: [*x, *x]") == "{a: 1, b: [1 1]}");
}

TEST_CASE("every node knows where it stands") {
  const YamlTree tree = ParseYaml("a: 1\nbb:\n  c: [x,\n    y]\n");
  const YamlMember& bb = tree.root.members[1];
  CHECK(bb.line == 2);
  CHECK(bb.column == 1);
  const YamlNode& list = bb.value.members[0].value;
  CHECK(list.line == 3);
  CHECK(list.column == 6);
  CHECK(list.elements[1].line == 4);
  CHECK(list.elements[1].column == 5);
  CHECK(tree.root.Find("a")->column == 4);
  CHECK(tree.root.Find("c") == nullptr);
}

TEST_CASE("errors have a place and say what is wrong") {
  CHECK(FirstError("a: 1\na: 2") == "2:1: key 'a' is given twice");
  CHECK(FirstError("a: 1\n[x]: 2") ==
        "2:1: a key must be a word, not a list, a mapping or nothing");
  CHECK(FirstError("{{a: b}: c}") == "1:2: a key must be a word, not a list, a mapping or nothing");
  CHECK_THAT(FirstError("a: [1, 2\nb: 3"), Catch::Contains("this is not valid YAML: "));
  CHECK_THAT(FirstError("a: b: c"), Catch::StartsWith("1:5: this is not valid YAML: "));
  CHECK_THAT(FirstError("a: 'b"), Catch::Contains("this is not valid YAML: "));
  for (const char* const end : {"", "\n", "\nb: c", "\nb: c\n", "\n\n  \n", "\n# c\n"}) {
    for (const char* const quote : {"'", "\""}) {
      CHECK_THAT(FirstError(absl::StrCat("a: ", quote, "b", end)),
                 Catch::Contains("this is not valid YAML: "));
    }
  }
  CHECK_THAT(FirstError("a: *nothing"), Catch::Contains("this is not valid YAML: "));
  CHECK_THAT(FirstError("a: 1\n b: 2"), Catch::Contains("this is not valid YAML: "));
  CHECK(FirstError("a: &x [*x]") == "1:8: this alias stands inside what it stands for: a cycle");
  CHECK(FirstError("&x a: {b: &y {c: *y}}") ==
        "1:18: this alias stands inside what it stands for: a cycle");
  CHECK_THAT(FirstError("a: !!int 3"), Catch::Contains("have no meaning in a job file"));
  CHECK_THAT(FirstError("a: !mine {}"), Catch::Contains("have no meaning in a job file"));
  CHECK_THAT(FirstError("a: {<<: 3}"), Catch::Contains("'<<' merges mappings; this is none"));
  CHECK_THAT(FirstError("a: b\n---\nc: d"), Catch::Contains("this begins a second one"));
}

TEST_CASE("several doubled keys are all told, and the rest is still read") {
  const YamlTree tree = ParseYaml("a: 1\na: 2\nb: {c: 1, c: 2}\nd: 3");
  CHECK(tree.complete);
  CHECK(tree.errors.size() == 2);
  CHECK(Show(tree.root) == "{a: 1, b: {c: 1}, d: 3}");
}

TEST_CASE("bombs go off in our hands, not in memory") {
  // Nine levels of ten aliases each: a billion values.
  std::string laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string alias = absl::StrCat("*a", i - 1);
    absl::StrAppend(&laughs, "a", i, ": &a", i, " [",
                    absl::StrJoin(std::vector<std::string>(10, alias), ", "), "]\n");
  }
  CHECK_THAT(FirstError(laughs), Catch::Contains("more than 20000 values, aliases resolved"));
  CHECK_THAT(FirstError("a: [" + absl::StrJoin(std::vector<std::string>(30000, "x"), ",") + "]"),
             Catch::Contains("more than 20000 values"));
}

TEST_CASE("depth is bounded, however it is made") {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(ParseYaml(nested(kYamlDepthMax)).errors.empty());
  for (const size_t depth : {size_t{kYamlDepthMax} + 1, size_t{1000}, size_t{200'000}}) {
    CHECK_THAT(FirstError(nested(depth)), Catch::Contains("nested more than 32 deep"));
    CHECK_THAT(FirstError(std::string(depth, '[')), Catch::Contains("nested more than 32 deep"));
  }
  std::string dashes;
  for (int i = 0; i < 100'000; ++i) dashes += "- ";
  CHECK_THAT(FirstError(dashes), Catch::Contains("nested more than 32 deep"));
  // A chain of aliases, each of which is deeper than the one before.
  std::string chain = "a0: &a0 []\n";
  for (int i = 1; i < 1000; ++i) absl::StrAppend(&chain, "a", i, ": &a", i, " [*a", i - 1, "]\n");
  CHECK_THAT(FirstError(chain), Catch::Contains("nested more than 32 deep"));
}

}  // namespace
}  // namespace rm::jobspec
