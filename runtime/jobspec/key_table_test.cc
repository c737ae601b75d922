#include "runtime/jobspec/key_table.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>

#include "runtime/jobspec/components.h"
#include "runtime/jobspec/spec_field.h"

namespace rm::jobspec {
namespace {

using Names = std::vector<absl::string_view>;

TEST_CASE("every key that is obeyed has its field in the spec, and no two keys share one") {
  std::set<absl::string_view> paths, fields;
  for (const Key& key : Keys()) {
    CAPTURE(key.path);
    CHECK(paths.insert(key.path).second);
    CHECK_FALSE(key.doc.empty());
    if (key.type == KeyType::kLater) continue;
    CHECK(fields.insert(key.field).second);
    CHECK((key.type == KeyType::kRanks || HasField(key.field)));
    const bool has_choices = key.type == KeyType::kChoice || key.path == "data.schema.types";
    CHECK(has_choices == !key.choices.empty());
  }
}

TEST_CASE("the keys of a section stand together, so that it is written once") {
  std::set<absl::string_view> closed;
  absl::string_view before;
  for (const Key& key : Keys()) {
    const absl::string_view top = key.path.substr(0, key.path.find('.'));
    if (top != before) CHECK(closed.insert(top).second);
    before = top;
  }
}

TEST_CASE("no key lies below another that has a value") {
  for (const Key& key : Keys()) {
    for (absl::string_view at = SectionOf(key.path); !at.empty(); at = SectionOf(at)) {
      CAPTURE(key.path);
      CHECK(FindKey(at) == nullptr);
    }
  }
}

TEST_CASE("keys and sections are found by their path") {
  CHECK(FindKey("train.epochs")->type == KeyType::kNumber);
  CHECK(FindKey("train") == nullptr);
  CHECK(FindKey("epochs") == nullptr);
  CHECK(IsSection("train"));
  CHECK(IsSection("train.optimizer"));
  CHECK_FALSE(IsSection("train.epochs"));
  CHECK_FALSE(IsSection("trai"));
  CHECK(FindMapOf("labels.a.b")->path == "labels");
  CHECK(FindMapOf("labels") == nullptr);
  CHECK(FindMapOf("train.optimizer.params.lr")->path == "train.optimizer.params");
}

TEST_CASE("the names in a section are those of today") {
  CHECK(NamesIn("") == Names{"apiVersion", "kind", "name", "labels", "model", "data", "train",
                             "resources", "scheduling", "checkpoint", "communication"});
  CHECK(NamesIn("model") ==
        Names{"zoo", "params", "onnx", "weights", "freeze", "loss", "label_smoothing"});
  CHECK(NamesIn("checkpoint.keep") == Names{"last"});
  CHECK(NamesIn("nowhere").empty());
}

TEST_CASE("a name is traced to the sections it stands in") {
  CHECK(SectionsWith("global_batch_size") == Names{"train"});
  CHECK(SectionsWith("optimizer") == Names{"train"});
  CHECK(SectionsWith("path") == Names{"data.train", "data.validation", "checkpoint"});
  CHECK(SectionsWith("kind") == Names{""});
  CHECK(SectionsWith("nothing").empty());
}

TEST_CASE("rivals know each other, and at most one of a group has a default") {
  CHECK(Rivals("train.epochs") == Names{"train.steps"});
  CHECK(Rivals("train.seed").empty());
  for (const auto& group : RivalGroups()) {
    int defaults = 0;
    for (const absl::string_view path : group) {
      REQUIRE(FindKey(path) != nullptr);
      if (!FindKey(path)->fallback.empty()) ++defaults;
    }
    CHECK(defaults <= 1);
  }
}

TEST_CASE("paths are joined and taken apart") {
  CHECK(JoinKey("a.b", "c") == "a.b.c");
  CHECK(JoinKey("", "c") == "c");
  CHECK(SectionOf("a.b.c") == "a.b");
  CHECK(SectionOf("c").empty());
  CHECK(NameOf("a.b.c") == "c");
  CHECK(NameOf("c") == "c");
}

TEST_CASE("ranges know their bounds") {
  const Range closed{0, 1}, open{0, 1, true, true}, any{};
  CHECK((closed.Contains(0) && closed.Contains(1) && !closed.Contains(1.01)));
  CHECK((!open.Contains(0) && !open.Contains(1) && open.Contains(0.5)));
  CHECK(any.Contains(-1e300));
  CHECK_FALSE(any.Contains(std::numeric_limits<double>::quiet_NaN()));
}

TEST_CASE("each component stands in the table as a choice, and its parameters are found") {
  for (const Component& component : Components()) {
    const Key* type = FindKey(JoinKey(component.section, "type"));
    REQUIRE(type != nullptr);
    CHECK(type->choices.find(component.type) != absl::string_view::npos);
    CHECK(FindKey(JoinKey(component.section, "params"))->type == KeyType::kNumberMap);
  }
  CHECK(FindParam("train.optimizer.params.lr", "SGD")->required);
  CHECK(FindParam("train.optimizer.params.nesterov", "SGD")->is_flag);
  CHECK(FindParam("train.optimizer.params.lr", "Lion") == nullptr);
  CHECK(FindParam("train.optimizer.params.beta", "SGD") == nullptr);
}

}  // namespace
}  // namespace rm::jobspec
