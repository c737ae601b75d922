// The whole job file as it is planned: what this version obeys is read, and every other key is
// refused by its name.
#include <algorithm>
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "runtime/jobspec/jobspec.h"

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
  determinism: fast
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
            "8:3 model.weights: 'weights' is not supported yet",
            "9:3 model.freeze: 'freeze' is not supported yet",
            "15:3 data.schema: 'data.schema' is for csv files, but 'data.train.format' is 'idx'",
            "16:3 data.inputs: 'inputs' is not supported yet",
            "17:3 data.text: 'text' is not supported yet",
            "18:3 data.augment: 'augment' is not supported yet",
            "25:3 train.virtual_shards: 'virtual_shards' is not supported yet",
            "28:3 train.gradient_clipping: 'gradient_clipping' is not supported yet",
            "29:61 train.optimizer.no_decay: 'no_decay' is not supported yet",
            "30:21 train.scheduler.type: 'train.scheduler.type': 'WarmupCosineLR' is not supported "
            "yet; possible: ConstantLR",
            "31:3 train.ema: 'ema' is not supported yet",
            "32:3 train.sync_batchnorm: 'sync_batchnorm' is not supported yet",
            "34:3 train.early_stopping: 'early_stopping' is not supported yet",
            "40:3 resources.memory_per_rank: 'memory_per_rank' is not supported yet",
            "47:3 scheduling.preemptible: 'preemptible' is not supported yet",
            "51:3 scheduling.begin: 'begin' is not supported yet",
            "54:3 scheduling.hang_after: 'hang_after' is not supported yet",
            "55:3 scheduling.depends_on: 'depends_on' is not supported yet",
            "56:3 scheduling.array: 'array' is not supported yet",
            "60:19 checkpoint.keep.best: 'best' is not supported yet",
            "60:28 checkpoint.keep.metric: 'metric' is not supported yet",
            "60:57 checkpoint.keep.mode: 'mode' is not supported yet"});
}

TEST_CASE("the other ways to say what to train are refused as well") {
  for (const char* const model : {"onnx: models/resnet.onnx", "from: other-job@best"}) {
    const ParseResult result = Parse(absl::StrCat("model: {zoo: mlp, ", model, "}"));
    const std::string name = std::string(model).substr(0, 4);
    const auto refused = [&](const Diagnostic& error) {
      return error.message == absl::StrCat("'", name, "' is not supported yet");
    };
    CHECK(std::count_if(result.errors.begin(), result.errors.end(), refused) == 1);
  }
}

}  // namespace
}  // namespace rm::jobspec
