#include "runtime/jobspec/testing.h"

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "base/check.h"

namespace rm::jobspec {

std::string SmallJob() {
  return R"(apiVersion: ringmaster/v1
kind: train
name: mnist
model:
  zoo: mlp
data:
  train:
    path: data/mnist/train
    format: idx
train:
  epochs: 3
  global_batch_size: 128
  optimizer:
    type: SGD
    params:
      lr: 0.05
      momentum: 0.9
)";
}

std::string FullJob() {
  return R"(apiVersion: ringmaster/v1
kind: train
name: mnist-convnet
labels: {team: vision, "cost centre": "17"}
model:
  zoo: convnet
  params: {classes: 10, wide: true}
  weights: base.safetensors
  loss: softmax_cross_entropy
  label_smoothing: 0.1
data:
  train: {path: data/iris.csv, format: csv}
  validation: {path: /data/iris-test.csv, format: csv}
  schema: {features: [width, "petal: length"], label: kind, types: {kind: category}, missing: mean}
  on_bad_record: skip
train:
  steps: 1000
  global_batch_size: 256
  gradient_accumulation: 1
  determinism: fast
  precision: fp32
  seed: 42
  optimizer: {type: SGD, params: {lr: 5e-2, momentum: 0.9, weight_decay: 1e-4, nesterov: true}}
  scheduler: {type: ConstantLR, params: {}}
  evaluate_every: {steps: 100}
  on_nonfinite: fail
resources:
  ranks: 4
  slots_per_rank: 2
  accelerator: cpu
  node_selector: {zone: a}
  placement: pack
scheduling:
  pool: default
  priority: 90
  max_restarts: 0
  time_limit: 4h
  queue_timeout: 30m
  grace_period: 500ms
  recovery_grace: 1m30s
  hang_after: 2m
checkpoint:
  path: ../checkpoints
  every: {seconds: 300}
  keep: {last: 3}
  on_error: fail
communication: {transport: grpc, bucket_size: 4MiB, wire_dtype: fp32}
)";
}

std::string Edited(absl::string_view text,
                   const std::vector<std::pair<std::string, std::string>>& replacements) {
  std::string edited(text);
  for (const auto& [from, to] : replacements) {
    RM_CHECK(absl::StrContains(edited, from), "no '", from, "' to replace");
    edited = absl::StrReplaceAll(edited, {{from, to}});
  }
  return edited;
}

}  // namespace rm::jobspec
