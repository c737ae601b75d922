// The whole job file as it is planned: what this version obeys is read, and every other key is
// refused by its name.
#include <algorithm>
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/key_table.h"
#include "runtime/jobspec/testing.h"

namespace rm::jobspec {
namespace {

constexpr char kWholeInterface[] = R"(apiVersion: ringmaster/v1
kind: train
name: mnist-convnet
labels: {team: vision}
model:
  zoo: convnet
  params: {classes: 10}
  weights: base.safetensors
  freeze: ["encoder.embed*"]
  loss: softmax_cross_entropy
  label_smoothing: 0.0
data:
  train:      {path: data/mnist/train, format: idx}
  validation: {path: data/mnist/test, format: idx}
  schema: {features: [a, b], label: y, types: {a: float, b: category}, missing: error}
  inputs: {numbers: [a], classes: [b]}
  text: {tokenizer: wordpiece, vocabulary: vocab.txt, max_length: 128}
  augment: [random_flip, {random_crop: {padding: 4}}]
  on_bad_record: fail
train:
  epochs: 3
  global_batch_size: 128
  gradient_accumulation: 1
  determinism: exact
  virtual_shards: 8
  precision: fp32
  seed: 1
  gradient_clipping: 1.0
  optimizer: {type: SGD, params: {lr: 0.05, momentum: 0.9}, no_decay: ["*.bias", "*norm*"]}
  scheduler: {type: WarmupCosineLR, params: {warmup_steps: 100}}
  ema: {decay: 0.999}
  sync_batchnorm: false
  evaluate_every: {epochs: 1}
  early_stopping: {metric: validation/accuracy, mode: max, patience: 3}
  on_nonfinite: fail
resources:
  ranks: 2
  slots_per_rank: 1
  accelerator: cpu
  memory_per_rank: 2GiB
  node_selector: {zone: a}
  placement: pack
scheduling:
  pool: default
  group: research
  priority: 50
  preemptible: true
  max_restarts: 5
  time_limit: 4h
  queue_timeout: 30m
  begin: 2026-12-01T08:00:00Z
  grace_period: 30s
  recovery_grace: 5m
  hang_after: 60s
  depends_on: [other-job]
  array: {count: 20, at_once: 4}
checkpoint:
  path: /mnt/checkpoints
  every: {steps: 500}
  keep: {last: 2, best: 1, metric: validation/accuracy, mode: max}
  on_error: warn
communication: {transport: auto, bucket_size: 8MiB, wire_dtype: fp32}
)";

TEST_CASE("every key of the plan is known: obeyed, or refused by name at its place") {
  std::vector<std::string> lines;
  for (const Diagnostic& error : Parse(kWholeInterface).errors) {
    lines.push_back(absl::StrCat(error.line, ":", error.column, " ", error.field_path, ": ",
                                 error.message));
  }
  CHECK(lines ==
        std::vector<std::string>{
            "15:3 data.schema: 'data.schema' is for csv files, but 'data.train.format' is 'idx'",
            "16:11 data.inputs: 'data.inputs' is for csv files, but 'data.train.format' is 'idx'",
            "17:3 data.text: 'text' is not supported yet",
            "18:3 data.augment: 'augment' is not supported yet",
            "31:3 train.ema: 'ema' is not supported yet",
            "32:3 train.sync_batchnorm: 'sync_batchnorm' is not supported yet",
            "34:3 train.early_stopping: 'early_stopping' is not supported yet",
            "40:3 resources.memory_per_rank: 'memory_per_rank' is not supported yet",
            "45:3 scheduling.group: 'group' is not supported yet",
            "47:3 scheduling.preemptible: 'preemptible' is not supported yet",
            "51:3 scheduling.begin: 'begin' is not supported yet",
            "55:3 scheduling.depends_on: 'depends_on' is not supported yet",
            "56:3 scheduling.array: 'array' is not supported yet",
            "60:19 checkpoint.keep.best: 'best' is not supported yet",
            "60:28 checkpoint.keep.metric: 'metric' is not supported yet",
            "60:57 checkpoint.keep.mode: 'mode' is not supported yet"});
}

// What each key that takes one of several words may be by the plan; of those, what is obeyed today.
struct Words {
  const char *key, *obeyed, *refused;
};

constexpr Words kWords[] = {
    {"kind", "train", "evaluate predict serve stream tune command"},
    {"model.loss", "softmax_cross_entropy mse sigmoid_binary_cross_entropy", ""},
    {"data.train.format", "idx csv npy tokens", "image_folder parquet"},
    {"data.validation.format", "idx csv npy tokens", "image_folder parquet"},
    {"data.schema.missing", "error zero mean", ""},
    {"data.on_bad_record", "fail skip quarantine", ""},
    {"train.determinism", "fast exact", ""},
    {"train.precision", "fp32 bf16", "fp16"},
    {"train.optimizer.type", "SGD Adam AdamW", "LAMB Adagrad RMSprop Lion"},
    {"train.scheduler.type", "ConstantLR StepLR WarmupCosineLR", "WarmupLR WarmupDecayLR OneCycle"},
    {"train.on_nonfinite", "fail", "skip_step"},
    {"resources.accelerator", "cpu", "cuda"},
    {"resources.placement", "pack", "spread topology"},
    {"checkpoint.on_error", "warn fail", ""},
    {"communication.transport", "auto grpc shm tcp", "nccl"},
    {"communication.wire_dtype", "fp32", "bf16"},
};

std::vector<std::string> ErrorsWithSet(const std::string& override) {
  std::vector<std::string> errors;
  for (const Diagnostic& error : Parse(FullJob(), {override}).errors) {
    errors.push_back(absl::StrCat(error.line, ":", error.column, ": ", error.message));
  }
  return errors;
}

TEST_CASE("every word of the plan is obeyed, or refused by name, in the file and with --set") {
  for (const Words& words : kWords) {
    CAPTURE(words.key);
    for (const absl::string_view word : absl::StrSplit(words.obeyed, ' ')) {
      // It may not go with the rest of the file; but nobody says that it is unknown.
      const auto errors = ErrorsWithSet(absl::StrCat(words.key, "=", word));
      const std::string said = absl::StrJoin(errors, " ");
      CHECK(said.find("is not supported yet") == std::string::npos);
      CHECK(said.find("cannot be '") == std::string::npos);
    }
    const std::string possible =
        absl::StrJoin(absl::StrSplit(words.obeyed, ' '), ", ");
    for (const absl::string_view word : absl::StrSplit(words.refused, ' ', absl::SkipEmpty())) {
      const std::string set = absl::StrCat(words.key, "=", word);
      CHECK(ErrorsWithSet(set) ==
            std::vector<std::string>{absl::StrCat("0:0: --set ", set, ": '", words.key, "': '", word,
                                                  "' is not supported yet; possible: ", possible)});
    }
  }
}

TEST_CASE("every key that takes a word stands in the list above, and no word is missing from it") {
  for (const Key& key : Keys()) {
    if (key.type != KeyType::kChoice || key.path == "apiVersion" || key.path == "scheduling.pool") {
      continue;
    }
    CAPTURE(key.path);
    const auto words = std::find_if(std::begin(kWords), std::end(kWords),
                                    [&](const Words& each) { return each.key == key.path; });
    REQUIRE(words != std::end(kWords));
    CHECK(absl::StrReplaceAll(words->obeyed, {{" ", "|"}}) == key.choices);
    CHECK(absl::StrReplaceAll(words->refused, {{" ", "|"}}) == key.later);
  }
}

TEST_CASE("keys of later versions are refused with --set, too, whole and in part") {
  int refused = 0;
  for (const Key& key : Keys()) {
    if (key.type != KeyType::kLater) continue;
    for (const char* const rest : {"=1", "={a: 1}", "=[a, b]", ".part=1", ".part.of.it=x"}) {
      const std::string set = absl::StrCat(key.path, rest);
      CHECK(ErrorsWithSet(set) ==
            std::vector<std::string>{absl::StrCat("0:0: --set ", set, ": '", NameOf(key.path),
                                                  "' is not supported yet")});
    }
    CHECK(ErrorsWithSet(absl::StrCat(key.path, "=")).empty());  // taking away what is not there
    ++refused;
  }
  CHECK(refused > 10);
}

TEST_CASE("numbers of later versions are refused as well") {
  CHECK(ErrorsWithSet("resources.ranks={min: 2, max: 8}") ==
        std::vector<std::string>{
            "0:0: --set resources.ranks={min: 2, max: 8}: 'resources.ranks': elastic jobs (min 2, "
            "max 8) are not supported yet; give one number"});
  CHECK(ErrorsWithSet("resources.ranks={min: 4, max: 4}").empty());
}

TEST_CASE("a spec that comes through the API is refused the same, without a file") {
  pb::JobSpec spec = Parse(SmallJob()).spec;
  spec.mutable_resources()->set_memory_per_rank(1 << 30);
  spec.mutable_scheduling()->set_group("research");
  spec.mutable_scheduling()->set_preemptible(false);
  spec.mutable_checkpoint()->set_keep_best(1);
  std::vector<std::string> messages;
  for (const Diagnostic& error : Validate(spec)) messages.push_back(error.message);
  CHECK(messages == std::vector<std::string>{
                        "'resources.memory_per_rank' is not supported yet",
                        "'scheduling.group' is not supported yet",
                        "'scheduling.preemptible' is not supported yet",
                        "'checkpoint.keep.best' is not supported yet"});
}

TEST_CASE("going on from another job is refused by name") {
  const ParseResult result = Parse("model: {zoo: mlp, from: other-job@best}");
  const auto refused = [](const Diagnostic& error) {
    return error.message == "'from' is not supported yet";
  };
  CHECK(std::count_if(result.errors.begin(), result.errors.end(), refused) == 1);
}

TEST_CASE("a model comes from a file or is built in, and --set changes from one to the other") {
  CHECK(ErrorsWithSet("model.onnx=net.onnx") ==
        std::vector<std::string>{"7:11: 'model.params' is for built-in models; 'model.onnx' is a "
                                 "network that has all its sizes"});
  const ParseResult result = Parse(SmallJob(), {"model.onnx=net.onnx"});
  REQUIRE(result.ok());
  CHECK(result.spec.model().zoo().empty());
  CHECK(result.spec.model().onnx() == "net.onnx");
  pb::JobSpec spec = result.spec;
  MakePathsAbsolute(&spec, "/home/ann");
  CHECK(spec.model().onnx() == "/home/ann/net.onnx");
  CHECK(FilesToUpload(spec) == std::vector<std::string>{"model.onnx"});
}

}  // namespace
}  // namespace rm::jobspec
