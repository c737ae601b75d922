// Where each field was written: what errors of the coordinator and of preflight point to.
#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/testing.h"

namespace rm::jobspec {
namespace {

TEST_CASE("every field of a full job file has its place, and the text there is its own") {
  const std::string yaml = FullJob();
  const std::vector<std::string> lines = absl::StrSplit(yaml, '\n');
  const struct {
    const char *field, *text;
  } cases[] = {
      {"apiVersion", "ringmaster/v1"},
      {"kind", "train"},
      {"name", "mnist-convnet"},
      {"labels", "{team"},
      {"labels.team", "team: vision"},
      {"labels.cost centre", "\"cost centre\""},
      {"model", "model:"},
      {"model.zoo", "convnet"},
      {"model.params", "{classes"},
      {"model.params.classes", "classes: 10"},
      {"model.params.wide", "wide: true"},
      {"model.loss", "softmax_cross_entropy"},
      {"model.label_smoothing", "0.1"},
      {"data", "data:"},
      {"data.train", "train: {path"},
      {"data.train.path", "data/iris.csv"},
      {"data.train.format", "csv}"},
      {"data.validation", "validation: {"},
      {"data.validation.path", "/data/iris-test.csv"},
      {"data.schema", "schema: {"},
      {"data.schema.features", "[width"},
      {"data.schema.label", "kind, types"},
      {"data.schema.types", "{kind"},
      {"data.schema.types.kind", "kind: category"},
      {"data.schema.missing", "mean}"},
      {"data.on_bad_record", "skip"},
      {"train", "train:"},
      {"train.steps", "1000"},
      {"train.global_batch_size", "256"},
      {"train.seed", "42"},
      {"train.optimizer", "optimizer: {"},
      {"train.optimizer.type", "SGD"},
      {"train.optimizer.params", "{lr"},
      {"train.optimizer.params.lr", "lr: 5e-2"},
      {"train.optimizer.params.nesterov", "nesterov: true"},
      {"train.scheduler.type", "ConstantLR"},
      {"train.evaluate_every", "evaluate_every: {"},
      {"train.evaluate_every.steps", "100}"},
      {"resources.ranks", "4"},
      {"resources.node_selector.zone", "zone: a"},
      {"scheduling.priority", "90"},
      {"scheduling.grace_period", "500ms"},
      {"checkpoint.path", "../checkpoints"},
      {"checkpoint.every.seconds", "300"},
      {"checkpoint.keep", "keep: {"},
      {"checkpoint.keep.last", "3}"},
      {"communication.transport", "grpc"},
      {"communication.bucket_size", "4MiB"},
  };
  const ParseResult result = Parse(yaml);
  for (const auto& test : cases) {
    CAPTURE(test.field);
    const auto position = std::find_if(
        result.positions.begin(), result.positions.end(),
        [&](const pb::SourcePosition& at) { return at.field_path() == test.field; });
    REQUIRE(position != result.positions.end());
    const std::string& line = lines.at(static_cast<size_t>(position->line()) - 1);
    CHECK_THAT(line.substr(static_cast<size_t>(position->column()) - 1),
               Catch::StartsWith(test.text));
  }
}

TEST_CASE("no field has two places, and none that the file does not give has one") {
  const ParseResult result = Parse(SmallJob());
  std::vector<std::string> fields;
  for (const pb::SourcePosition& position : result.positions) {
    fields.push_back(position.field_path());
  }
  CHECK(fields == std::vector<std::string>{
                      "apiVersion", "kind", "name", "model", "model.zoo", "data", "data.train",
                      "data.train.path", "data.train.format", "train", "train.epochs",
                      "train.global_batch_size", "train.optimizer", "train.optimizer.type",
                      "train.optimizer.params", "train.optimizer.params.lr",
                      "train.optimizer.params.momentum"});
}

TEST_CASE("what --set gives has no place, and takes the place of what it replaces") {
  const ParseResult result =
      Parse(SmallJob(), {"train.epochs=5", "train.optimizer={type: SGD, params: {lr: 1}}"});
  REQUIRE(result.ok());
  for (const pb::SourcePosition& position : result.positions) {
    CHECK(position.field_path() != "train.epochs");
    CHECK_FALSE(absl::StartsWith(position.field_path(), "train.optimizer"));
  }
}

TEST_CASE("a value that comes through an alias is placed where it was written") {
  const ParseResult result = Parse(
      "data:\n  train: &d {path: a, format: idx}\n  validation: *d\n");
  for (const pb::SourcePosition& position : result.positions) {
    if (position.field_path() == "data.validation.path") CHECK(position.line() == 2);
    if (position.field_path() == "data.validation") CHECK(position.line() == 3);
  }
}

TEST_CASE("a whole error as trainctl prints it") {
  const std::string yaml = Edited(SmallJob(), {{"epochs: 3", "epoch: 3"}});
  const ParseResult result = Parse(yaml);
  REQUIRE(result.errors.size() == 1);
  CHECK(Render(result.errors[0], "jobs/mnist.yaml", yaml) ==
        "jobs/mnist.yaml:11:3: unknown key 'epoch' – did you mean 'epochs'?\n"
        "   11 |   epoch: 3\n"
        "      |   ^");
}

}  // namespace
}  // namespace rm::jobspec
