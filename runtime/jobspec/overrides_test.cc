#include "runtime/jobspec/overrides.h"

#include <catch2/catch.hpp>

namespace rm::jobspec {
namespace {

// The text at "a.b.c" of the tree, "~" for nothing there.
std::string At(const YamlNode& root, const std::vector<std::string>& parts) {
  const YamlNode* node = &root;
  for (const std::string& part : parts) {
    node = node->Find(part);
    if (node == nullptr) return "~";
  }
  return node->text;
}

YamlNode Apply(absl::string_view yaml, const std::vector<std::string>& overrides) {
  YamlNode root = ParseYaml(yaml).root;
  std::vector<Diagnostic> errors;
  CHECK(ApplyOverrides(overrides, root, errors).size() == overrides.size());
  CHECK(errors.empty());
  return root;
}

TEST_CASE("an override replaces, adds and removes") {
  const YamlNode root =
      Apply("train: {epochs: 3, seed: 1}\nname: a",
            {"train.seed=7", "resources.ranks=2", "name=b", "name=c", "train.epochs="});
  CHECK(At(root, {"train", "seed"}) == "7");
  CHECK(At(root, {"resources", "ranks"}) == "2");
  CHECK(At(root, {"name"}) == "c");
  CHECK(root.Find("train")->Find("epochs") == nullptr);
}

TEST_CASE("a value is YAML") {
  const YamlNode root = Apply("a: 1", {"resources.ranks={min: 1, max: 2}", "name='x=y'"});
  CHECK(At(root, {"resources", "ranks", "max"}) == "2");
  CHECK(At(root, {"name"}) == "x=y");
  CHECK(root.Find("name")->quoted);
}

TEST_CASE("giving a key takes away its rivals") {
  const YamlNode root = Apply("train: {epochs: 3}", {"train.steps=10"});
  CHECK(At(root, {"train", "steps"}) == "10");
  CHECK(At(root, {"train", "epochs"}) == "~");
  const YamlNode back = Apply("train: {epochs: 3}", {"train.steps=10", "train.epochs=1"});
  CHECK(At(back, {"train", "steps"}) == "~");
}

TEST_CASE("names of the user's own may have dots") {
  const YamlNode root = Apply("a: 1", {"labels.k8s.io/team=vision", "model.params.classes=3"});
  CHECK(At(root, {"labels", "k8s.io/team"}) == "vision");
  CHECK(At(root, {"model", "params", "classes"}) == "3");
}

TEST_CASE("removing what is not there is fine") {
  const YamlNode root = Apply("a: 1", {"train.optimizer.type=", "b=", "a.b.c="});
  CHECK(At(root, {"a"}) == "1");
}

TEST_CASE("a section may be made where a value was") {
  CHECK(At(Apply("train: 3", {"train.seed=1"}), {"train", "seed"}) == "1");
}

TEST_CASE("what cannot be applied is told, and the rest is applied") {
  const struct {
    const char *text, *message;
  } cases[] = {
      {"train.steps", "--set train.steps: write it as field.path=value"},
      {"=3", "--set =3: write it as field.path=value"},
      {"train..steps=3", "--set train..steps=3: write it as field.path=value"},
      {"a=[1", "--set a=[1: this is not valid YAML: "},
      {"a=b: c: d", "--set a=b: c: d: this is not valid YAML: "},
      {"labels.a=\xaf", "--set labels.a=?: this is not valid UTF-8"},
  };
  for (const auto& test : cases) {
    YamlNode root;
    std::vector<Diagnostic> errors;
    const auto applied = ApplyOverrides({test.text, std::string("name=x")}, root, errors);
    CHECK(applied.size() == 1);
    CHECK(At(root, {"name"}) == "x");
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].line == 0);
    CHECK_THAT(errors[0].message, Catch::StartsWith(test.message));
  }
}

TEST_CASE("a path of a hundred thousand parts is refused, and does not exhaust the stack") {
  std::string path = "a";
  for (int i = 0; i < 100'000; ++i) path += ".a";
  YamlNode root;
  std::vector<Diagnostic> errors;
  CHECK(ApplyOverrides({path + "=1"}, root, errors).empty());
  CHECK(errors.size() == 1);
}

TEST_CASE("the override behind a field is found") {
  const std::vector<Override> overrides = {{"train", "first"}, {"train.optimizer", "second"}};
  CHECK(FindOverride(overrides, "train.optimizer.params.lr")->text == "second");
  CHECK(FindOverride(overrides, "train.steps")->text == "first");
  CHECK(FindOverride(overrides, "train")->text == "first");
  CHECK(FindOverride(overrides, "training") == nullptr);
  CHECK(FindOverride(overrides, "") == nullptr);
}

TEST_CASE("the override that made a section is found") {
  const std::vector<Override> overrides = {{"train.ema.decay", "first"}, {"train.ema", "second"},
                                           {"train.seed", "third"}};
  CHECK(FindOverrideBelow(overrides, "train.ema")->text == "second");
  CHECK(FindOverrideBelow(overrides, "train")->text == "third");
  CHECK(FindOverrideBelow(overrides, "train.em") == nullptr);
  CHECK(FindOverrideBelow(overrides, "") == nullptr);
}

}  // namespace
}  // namespace rm::jobspec
