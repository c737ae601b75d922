#include "runtime/jobspec/spec_field.h"

#include <catch2/catch.hpp>

namespace rm::jobspec {
namespace {

TEST_CASE("fields are found by their path") {
  CHECK(HasField("name"));
  CHECK(HasField("train.optimizer.type"));
  CHECK(HasField("checkpoint.keep_last"));
  CHECK_FALSE(HasField("train.early_stopping"));
  CHECK_FALSE(HasField("name.length"));
  CHECK_FALSE(HasField(""));
}

TEST_CASE("every key of a single value can be set, seen and read back") {
  for (const Key& key : Keys()) {
    CAPTURE(key.path);
    Value value;
    switch (key.type) {
      case KeyType::kText:
      case KeyType::kPath:
      case KeyType::kChoice:
        value = std::string("text");
        break;
      case KeyType::kWhole:
      case KeyType::kBytes:
        value = int64_t{17};
        break;
      case KeyType::kNumber:
      case KeyType::kDuration:
        value = 1.5;
        break;
      default:
        continue;
    }
    pb::JobSpec spec;
    CHECK_FALSE(IsSet(spec, key.field));
    SetValue(key, value, &spec);
    CHECK(IsSet(spec, key.field));
    CHECK(GetValue(spec, key) == value);
  }
}

TEST_CASE("reading a field of a section that is not there makes no section") {
  const pb::JobSpec spec;
  CHECK(GetValue(spec, *FindKey("train.optimizer.type")) == Value(std::string()));
  CHECK_FALSE(spec.has_train());
}

TEST_CASE("lists and fields with presence are set when they are there") {
  pb::JobSpec spec;
  CHECK_FALSE(IsSet(spec, "model.freeze"));
  spec.mutable_model()->add_freeze("");
  CHECK(IsSet(spec, "model.freeze"));
  CHECK_FALSE(IsSet(spec, "scheduling.preemptible"));
  spec.mutable_scheduling()->set_preemptible(false);
  CHECK(IsSet(spec, "scheduling.preemptible"));
}

TEST_CASE("a number too large for its field stays wrong, and does not wrap round") {
  pb::JobSpec spec;
  SetValue(*FindKey("scheduling.priority"), int64_t{1} << 40, &spec);
  CHECK(spec.scheduling().priority() == INT32_MAX);
}

TEST_CASE("maps are found by the path of their key") {
  pb::JobSpec spec;
  for (const char* const path : {"labels", "resources.node_selector"}) {
    (*MutableTextMap(path, &spec))["name"] = path;
    CHECK(GetTextMap(path, spec) == std::map<std::string, std::string>{{"name", path}});
  }
  double number = 0;
  for (const char* const path :
       {"model.params", "train.optimizer.params", "train.scheduler.params"}) {
    (*MutableNumberMap(path, &spec))["name"] = ++number;
    CHECK(GetNumberMap(path, spec) == std::map<std::string, double>{{"name", number}});
  }
  CHECK(spec.labels().at("name") == "labels");
  CHECK(spec.model().params().at("name") == 1);
}

}  // namespace
}  // namespace rm::jobspec
