// Defaults against the table, one key at a time.
#include <catch2/catch.hpp>

#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/spec_field.h"
#include "runtime/jobspec/testing.h"

namespace rm::jobspec {
namespace {

YamlNode TextNode(absl::string_view text) {
  YamlNode node;
  node.kind = YamlNode::Kind::kText;
  node.text = std::string(text);
  return node;
}

bool IsSingle(const Key& key) {
  return key.type != KeyType::kRanks && key.type != KeyType::kLater &&
         key.type != KeyType::kTextMap && key.type != KeyType::kNumberMap &&
         key.type != KeyType::kTextListMap;
}

TEST_CASE("every default is a value that a user could write") {
  for (const Key& key : Keys()) {
    if (key.fallback.empty() || !IsSingle(key)) continue;
    CAPTURE(key.path);
    const auto value = ReadValue(key, TextNode(key.fallback));
    REQUIRE(value.ok());
    CHECK(CheckValue(key, *value).ok());
  }
}

TEST_CASE("a file that leaves a key out gets the default of the table") {
  const pb::JobSpec spec = Parse(SmallJob()).spec;
  for (const Key& key : Keys()) {
    if (key.fallback.empty() || !IsSingle(key)) continue;
    if (key.path == "train.optimizer.type") continue;  // the file gives it
    CAPTURE(key.path);
    CHECK(GetValue(spec, key) == *ReadValue(key, TextNode(key.fallback)));
  }
}

TEST_CASE("applying defaults twice is applying them once") {
  for (pb::JobSpec spec : {pb::JobSpec(), Parse(SmallJob()).spec, Parse(FullJob()).spec}) {
    ApplyDefaults(&spec);
    const std::string once = ToYaml(spec);
    ApplyDefaults(&spec);
    CHECK(ToYaml(spec) == once);
  }
}

TEST_CASE("a rival that is given keeps the default of the other away") {
  pb::JobSpec spec;
  spec.mutable_checkpoint()->mutable_every()->set_seconds(60);
  spec.mutable_train()->mutable_evaluate_every()->set_steps(10);
  ApplyDefaults(&spec);
  CHECK(spec.checkpoint().every().steps() == 0);
  CHECK(spec.train().evaluate_every().epochs() == 0);
}

}  // namespace
}  // namespace rm::jobspec
