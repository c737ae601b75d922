// Job files that are right, and how they are read.
#include <catch2/catch.hpp>
#include <google/protobuf/util/message_differencer.h>

#include "absl/strings/str_cat.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/testing.h"

namespace rm::jobspec {
namespace {

pb::JobSpec Parsed(absl::string_view yaml, const std::vector<std::string>& overrides = {}) {
  const ParseResult result = Parse(yaml, overrides);
  for (const Diagnostic& error : result.errors) FAIL(Render(error, "job.yaml", yaml));
  return result.spec;
}

// "line:column" of a field, "" when it has no place.
std::string PlaceOf(const ParseResult& result, absl::string_view field) {
  for (const pb::SourcePosition& position : result.positions) {
    if (position.field_path() != field) continue;
    return absl::StrCat(position.line(), ":", position.column());
  }
  return "";
}

TEST_CASE("what a job file says stands in the spec") {
  const pb::JobSpec spec = Parsed(FullJob());
  CHECK(spec.api_version() == "ringmaster/v1");
  CHECK(spec.kind() == "train");
  CHECK(spec.name() == "mnist-convnet");
  CHECK(spec.labels().at("team") == "vision");
  CHECK(spec.labels().at("cost centre") == "17");
  CHECK(spec.model().zoo() == "convnet");
  CHECK(spec.model().params().at("classes") == 10);
  CHECK(spec.model().params().at("wide") == 1);
  CHECK(spec.model().label_smoothing() == 0.1);
  CHECK(spec.data().train().path() == "data/iris.csv");
  CHECK(spec.data().validation().path() == "/data/iris-test.csv");
  const pb::SchemaSpec& schema = spec.data().schema();
  CHECK(std::vector<std::string>(schema.features().begin(), schema.features().end()) ==
        std::vector<std::string>{"width", "petal: length"});
  CHECK(schema.label() == "kind");
  CHECK(schema.types().size() == 1);
  CHECK(schema.types().at("kind") == "category");
  CHECK(schema.missing() == "mean");
  CHECK(spec.data().on_bad_record() == "skip");
  CHECK(spec.train().epochs() == 0);
  CHECK(spec.train().steps() == 1000);
  CHECK(spec.train().global_batch_size() == 256);
  CHECK(spec.train().seed() == 42);
  CHECK(spec.train().optimizer().params().at("lr") == 0.05);
  CHECK(spec.train().optimizer().params().at("weight_decay") == 1e-4);
  CHECK(spec.train().optimizer().params().at("nesterov") == 1);
  CHECK(spec.train().evaluate_every().steps() == 100);
  CHECK(spec.train().evaluate_every().epochs() == 0);
  CHECK(spec.resources().ranks_min() == 4);
  CHECK(spec.resources().ranks_max() == 4);
  CHECK(spec.resources().slots_per_rank() == 2);
  CHECK(spec.resources().node_selector().at("zone") == "a");
  CHECK(spec.scheduling().priority() == 90);
  CHECK(spec.scheduling().max_restarts() == 0);
  CHECK(spec.scheduling().time_limit() == 4 * 3600);
  CHECK(spec.scheduling().queue_timeout() == 1800);
  CHECK(spec.scheduling().grace_period() == 0.5);
  CHECK(spec.scheduling().recovery_grace() == 90);
  CHECK(spec.checkpoint().path() == "../checkpoints");
  CHECK(spec.checkpoint().every().seconds() == 300);
  CHECK(spec.checkpoint().every().steps() == 0);
  CHECK(spec.checkpoint().keep_last() == 3);
  CHECK(spec.checkpoint().on_error() == "fail");
  CHECK(spec.communication().transport() == "grpc");
  CHECK(spec.communication().bucket_size() == 4 << 20);
}

TEST_CASE("what a job file leaves out has its default") {
  const pb::JobSpec spec = Parsed(SmallJob());
  CHECK(spec.model().loss() == "softmax_cross_entropy");
  CHECK_FALSE(spec.data().has_validation());
  CHECK(spec.data().on_bad_record() == "fail");
  CHECK(spec.train().gradient_accumulation() == 1);
  CHECK(spec.train().determinism() == "fast");
  CHECK(spec.train().precision() == "fp32");
  CHECK(spec.train().seed() == 1);
  CHECK(spec.train().scheduler().type() == "ConstantLR");
  CHECK(spec.train().evaluate_every().epochs() == 1);
  CHECK(spec.resources().ranks_min() == 1);
  CHECK(spec.resources().ranks_max() == 1);
  CHECK(spec.resources().slots_per_rank() == 1);
  CHECK(spec.resources().placement() == "pack");
  CHECK(spec.scheduling().pool() == "default");
  CHECK(spec.scheduling().priority() == 50);
  CHECK(spec.scheduling().max_restarts() == 5);
  CHECK(spec.scheduling().time_limit() == 0);
  CHECK(spec.scheduling().grace_period() == 30);
  CHECK(spec.scheduling().recovery_grace() == 300);
  CHECK(spec.checkpoint().every().steps() == 500);
  CHECK(spec.checkpoint().keep_last() == 2);
  CHECK(spec.checkpoint().on_error() == "warn");
  CHECK(spec.communication().transport() == "auto");
  CHECK(spec.communication().bucket_size() == 8 << 20);
  CHECK(spec.communication().wire_dtype() == "fp32");
}

TEST_CASE("a zero that is given is not taken for a default that is missing") {
  const pb::JobSpec spec = Parsed(absl::StrCat(
      SmallJob(), "  seed: 0\nscheduling: {priority: 0, max_restarts: 0, grace_period: 0s}\n"));
  CHECK(spec.train().seed() == 0);
  CHECK(spec.scheduling().priority() == 0);
  CHECK(spec.scheduling().max_restarts() == 0);
  CHECK(spec.scheduling().grace_period() == 0);
}

TEST_CASE("ranks may be written as equal bounds, and sections may be left empty") {
  const pb::JobSpec spec =
      Parsed(absl::StrCat(SmallJob(), "resources:\n  ranks: {min: 2, max: 2}\ncheckpoint:\n"
                                      "labels:\n"));
  CHECK(spec.resources().ranks_max() == 2);
  CHECK(spec.checkpoint().keep_last() == 2);
}

TEST_CASE("anchors spare repetition") {
  const pb::JobSpec spec = Parsed(Edited(
      SmallJob(), {{"  train:\n    path: data/mnist/train\n    format: idx\n",
                    "  train: &mnist\n    path: data/mnist/train\n    format: idx\n"
                    "  validation:\n    <<: *mnist\n    path: data/mnist/test\n"}}));
  CHECK(spec.data().validation().path() == "data/mnist/test");
  CHECK(spec.data().validation().format() == "idx");
}

TEST_CASE("a file from Windows, with a byte order mark and CRLF, is read the same") {
  const std::string windows = "\xEF\xBB\xBF" + Edited(SmallJob(), {{"\n", "\r\n"}});
  CHECK(Parsed(windows).SerializeAsString().size() ==
        Parsed(SmallJob()).SerializeAsString().size());
}

TEST_CASE("the spec remembers where each field was written") {
  const ParseResult result = Parse(SmallJob());
  CHECK(PlaceOf(result, "apiVersion") == "1:13");
  CHECK(PlaceOf(result, "model") == "4:1");
  CHECK(PlaceOf(result, "model.zoo") == "5:8");
  CHECK(PlaceOf(result, "train.optimizer.params.lr") == "16:7");
  CHECK(PlaceOf(result, "train.seed").empty());
}

TEST_CASE("places count characters") {
  const ParseResult result = Parse("labels: {größe: ½, n: 1}");
  CHECK(PlaceOf(result, "labels.größe") == "1:10");
  CHECK(PlaceOf(result, "labels.n") == "1:20");
}

TEST_CASE("--set changes what the file says") {
  const pb::JobSpec spec =
      Parsed(SmallJob(), {"train.steps=10", "name=other", "labels.a.b=c", "resources.ranks=4",
                          "train.optimizer.params.lr=0.5", "scheduling.time_limit=1h"});
  CHECK(spec.train().steps() == 10);
  CHECK(spec.train().epochs() == 0);
  CHECK(spec.name() == "other");
  CHECK(spec.labels().at("a.b") == "c");
  CHECK(spec.resources().ranks_min() == 4);
  CHECK(spec.train().optimizer().params().at("lr") == 0.5);
  CHECK(spec.scheduling().time_limit() == 3600);
}

TEST_CASE("--set can make up for what the file lacks, and take away what it has") {
  CHECK(Parsed(Edited(SmallJob(), {{"name: mnist\n", ""}}), {"name=mnist"}).name() == "mnist");
  const std::string early = absl::StrCat(SmallJob(), "  early_stopping: {}\n");
  CHECK(Parsed(early, {"train.early_stopping="}).name() == "mnist");
}

TEST_CASE("paths are made absolute against the job file's folder") {
  pb::JobSpec spec = Parsed(FullJob());
  MakePathsAbsolute(&spec, "/home/me/jobs");
  CHECK(spec.data().train().path() == "/home/me/jobs/data/iris.csv");
  CHECK(spec.data().validation().path() == "/data/iris-test.csv");
  CHECK(spec.checkpoint().path() == "/home/me/checkpoints");
  pb::JobSpec small = Parsed(SmallJob());
  MakePathsAbsolute(&small, "/home/me");
  CHECK(small.checkpoint().path().empty());
  CHECK_FALSE(small.data().has_validation());
}

TEST_CASE("a spec written as YAML is read as the same spec") {
  for (const std::string& yaml : {SmallJob(), FullJob()}) {
    const pb::JobSpec spec = Parsed(yaml);
    const std::string written = ToYaml(spec);
    INFO(written);
    CHECK(google::protobuf::util::MessageDifferencer::Equals(Parsed(written), spec));
  }
}

TEST_CASE("a spec is written key by key, defaults included") {
  CHECK(ToYaml(Parsed(SmallJob())) == R"(apiVersion: ringmaster/v1
kind: train
name: mnist
model:
  zoo: mlp
  loss: softmax_cross_entropy
  label_smoothing: 0
data:
  train:
    path: data/mnist/train
    format: idx
  on_bad_record: fail
train:
  epochs: 3
  global_batch_size: 128
  gradient_accumulation: 1
  determinism: fast
  precision: fp32
  seed: 1
  optimizer:
    type: SGD
    params:
      lr: 0.05
      momentum: 0.9
  scheduler:
    type: ConstantLR
  evaluate_every:
    epochs: 1
  on_nonfinite: fail
resources:
  ranks: 1
  slots_per_rank: 1
  accelerator: cpu
  placement: pack
scheduling:
  pool: default
  priority: 50
  max_restarts: 5
  grace_period: 30s
  recovery_grace: 300s
  hang_after: 60s
checkpoint:
  every:
    steps: 500
  keep:
    last: 2
  on_error: warn
communication:
  transport: auto
  bucket_size: 8388608
  wire_dtype: fp32
)");
}

}  // namespace
}  // namespace rm::jobspec
