// Generated specs: written as YAML and read again, they are the same, and so is every value that
// the API may hold.
#include <catch2/catch.hpp>
#include <google/protobuf/util/message_differencer.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/random.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/spec_field.h"
#include "runtime/jobspec/testing.h"

namespace rm::jobspec {
namespace {

using google::protobuf::util::MessageDifferencer;

// Text of all sorts: letters, signs that mean something to YAML, other alphabets.
std::string RandomText(base::RandomStream& random) {
  constexpr const char* kPieces[] = {"a",  "B", "7",  "-", ".",  "/",   " ", ":", "#", "'", "\"",
                                     "\\", "{", "}",  "[", "]",  ",",   "&", "*", "!", "|", ">",
                                     "%",  "@", "`",  "ö", "東", "🚀",  "~", "=", "?", "_", "null"};
  std::string text;
  for (uint64_t i = random.NextBelow(8); i < 9; ++i) {
    text += kPieces[random.NextBelow(std::size(kPieces))];
  }
  return text;
}

// A value of a range, often one of its ends.
double RandomNumber(const Range& range, base::RandomStream& random) {
  const double low = range.min, high = std::min(range.max, 1e9);
  const uint64_t choice = random.NextBelow(6);
  if (choice == 0 && !range.above_min) return low;
  if (choice == 1 && !range.below_max) return high;
  return low + (high - low) * (static_cast<double>(random.NextBelow(9999)) + 0.5) / 1e4;
}

Value RandomValue(const Key& key, base::RandomStream& random) {
  switch (key.type) {
    case KeyType::kChoice: {
      const std::vector<std::string> choices = absl::StrSplit(key.choices, '|');
      return choices[random.NextBelow(choices.size())];
    }
    case KeyType::kWhole:
    case KeyType::kBytes:
      return static_cast<int64_t>(RandomNumber(key.range, random));
    case KeyType::kDuration:  // milliseconds: what a double of seconds surely keeps
      return (key.range.min * 1000 + static_cast<double>(random.NextBelow(1'000'000))) / 1000;
    case KeyType::kNumber:
      return RandomNumber(key.range, random);
    default:
      return RandomText(random);
  }
}

// A schema where the files are csv, and only there.
void MakeDataConsistent(base::RandomStream& random, pb::DataSpec& data) {
  data.mutable_validation()->set_format(data.train().format());
  data.mutable_inputs()->clear();
  if (data.train().format() != "csv") return data.clear_schema();
  data.mutable_schema()->clear_features();
  data.mutable_schema()->mutable_types()->clear();
  for (uint64_t i = random.NextBelow(4); i > 0; --i) {
    const std::string column = absl::StrCat(i, RandomText(random));
    data.mutable_schema()->add_features(column);
    (*data.mutable_schema()->mutable_types())[column] = "category";
    // Each to an input of its own, or twice to one: what may be, and what is written in one line.
    if (random.NextBelow(2) == 0) continue;
    auto& inputs = *data.mutable_inputs();
    inputs[RandomText(random)].add_columns(column);
    inputs["all"].mutable_columns()->CopyFrom(data.schema().features());
  }
  if (data.inputs_size() > 0) {
    (*data.mutable_inputs())["all"].mutable_columns()->CopyFrom(data.schema().features());
  }
}

// The parameters that the chosen optimizer and schedule need.
void MakeComponentsConsistent(pb::TrainSpec& train) {
  if (train.optimizer().type() != "SGD") {
    train.mutable_optimizer()->clear_params();
    (*train.mutable_optimizer()->mutable_params())["lr"] = 0.5;
  }
  train.mutable_scheduler()->clear_params();
  if (train.scheduler().type() == "StepLR") {
    (*train.mutable_scheduler()->mutable_params())["step_size"] = 30;
  }
}

// In exact mode a batch of whole shards, none of them cut again; in fast mode no shards.
void MakeShardsConsistent(base::RandomStream& random, int32_t ranks, pb::TrainSpec& train) {
  train.clear_virtual_shards();
  if (train.determinism() != "exact") return;
  int64_t shards = 1;
  while (shards < ranks) shards *= 2;
  train.set_virtual_shards(shards << random.NextBelow(3));
  train.set_gradient_accumulation(1);
  train.set_global_batch_size(train.virtual_shards() * static_cast<int64_t>(1 + random.NextBelow(8)));
}

// A valid job with about half of all keys at random values.
pb::JobSpec RandomSpec(base::RandomStream& random) {
  pb::JobSpec spec = Parse(FullJob()).spec;
  for (const Key& key : Keys()) {
    const bool single = key.type != KeyType::kLater && key.type != KeyType::kTextMap &&
                        key.type != KeyType::kNumberMap && key.type != KeyType::kRanks &&
                        key.type != KeyType::kTextList &&
                        key.type != KeyType::kTextListMap;
    if (!single || random.NextBelow(2) == 0 || key.path == "name") continue;
    if (!IsSet(spec, key.field) && !Rivals(key.path).empty()) continue;  // the other one is given
    SetValue(key, RandomValue(key, random), &spec);
  }
  MakeDataConsistent(random, *spec.mutable_data());
  if (spec.model().loss() != "softmax_cross_entropy") spec.mutable_model()->set_label_smoothing(0);
  MakeComponentsConsistent(*spec.mutable_train());
  const int32_t ranks = static_cast<int32_t>(1 + random.NextBelow(100));
  spec.mutable_resources()->set_ranks_min(ranks);
  spec.mutable_resources()->set_ranks_max(ranks);
  const int64_t batch = std::max<int64_t>(ranks, spec.train().global_batch_size());
  spec.mutable_train()->set_global_batch_size(batch);
  MakeShardsConsistent(random, ranks, *spec.mutable_train());
  for (uint64_t i = random.NextBelow(5); i > 0; --i) {
    (*spec.mutable_labels())[RandomText(random)] = RandomText(random);
    (*spec.mutable_model()->mutable_params())[absl::StrCat("p", i)] = RandomNumber({}, random);
  }
  return spec;
}

TEST_CASE("generated specs survive being written and read") {
  base::RandomStream random(4, 2);
  for (int i = 0; i < 500; ++i) {
    pb::JobSpec spec = RandomSpec(random);
    for (auto& [name, value] : *spec.mutable_model()->mutable_params()) {
      value = static_cast<double>(random.NextBits()) / 3e12;
    }
    const std::string yaml = ToYaml(spec);
    INFO(yaml);
    REQUIRE(Validate(spec).empty());
    const ParseResult read = Parse(yaml);
    for (const Diagnostic& error : read.errors) FAIL(Render(error, "job.yaml", yaml));
    REQUIRE(MessageDifferencer::Equals(read.spec, spec));
  }
}

TEST_CASE("what is written is the same every time, whatever the order of maps in memory") {
  base::RandomStream random(6, 6);
  for (int i = 0; i < 20; ++i) {
    const pb::JobSpec spec = RandomSpec(random);
    pb::JobSpec copy;
    REQUIRE(copy.ParseFromString(spec.SerializeAsString()));
    CHECK(ToYaml(copy) == ToYaml(spec));
  }
}

TEST_CASE("--set gives each key the value it would have in the file") {
  const pb::JobSpec wanted = Parse(FullJob()).spec;
  std::vector<std::string> overrides;
  for (const Key& key : Keys()) {
    const bool single = key.type != KeyType::kLater && key.type != KeyType::kTextMap &&
                        key.type != KeyType::kNumberMap && key.type != KeyType::kRanks &&
                        key.type != KeyType::kTextList &&
                        key.type != KeyType::kTextListMap;
    if (!single || !IsSet(wanted, key.field)) continue;
    overrides.push_back(absl::StrCat(key.path, "=", WriteValue(key, GetValue(wanted, key))));
  }
  overrides.insert(overrides.end(),
                   {"resources.ranks=4", "labels={team: vision, 'cost centre': '17'}",
                    "model.params={classes: 10, wide: true}",
                    "data.schema.features=[width, 'petal: length']",
                    "data.schema.types={kind: category}", "resources.node_selector.zone=a",
                    "train.optimizer.params={lr: 0.05, momentum: 0.9, weight_decay: 0.0001}",
                    "train.optimizer.params.nesterov=true", "scheduling.max_restarts=0"});
  const ParseResult read = Parse(SmallJob(), overrides);
  for (const Diagnostic& error : read.errors) FAIL(error.message);
  CHECK(MessageDifferencer::Equals(read.spec, wanted));
}

}  // namespace
}  // namespace rm::jobspec
