// Job files that are wrong, and every word that is said about them: the diff of this table is the
// review.
#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/jobspec/jobspec.h"
#include "runtime/jobspec/testing.h"

namespace rm::jobspec {
namespace {

using Edits = std::vector<std::pair<std::string, std::string>>;

std::vector<std::string> ErrorsOf(absl::string_view yaml,
                                  const std::vector<std::string>& overrides = {}) {
  std::vector<std::string> lines;
  for (const Diagnostic& error : Parse(yaml, overrides).errors) {
    lines.push_back(absl::StrCat(error.line, ":", error.column, ": ", error.message));
  }
  return lines;
}

struct BadFile {
  Edits edits;  // of SmallJob()
  std::vector<std::string> errors;
};

void CheckAll(const std::vector<BadFile>& files) {
  for (const BadFile& file : files) {
    const std::string yaml = Edited(SmallJob(), file.edits);
    INFO(yaml);
    CHECK(absl::StrJoin(ErrorsOf(yaml), "\n") == absl::StrJoin(file.errors, "\n"));
  }
}

TEST_CASE("lengths, names and required keys") {
  CheckAll({
      {{{"epochs: 3", "epoch: 3"}},
       {"11:3: unknown key 'epoch' – did you mean 'epochs'?"}},
      {{{"  epochs: 3\n", ""}},
       {"10:1: one of 'train.epochs' and 'train.steps' must be given"}},
      {{{"epochs: 3", "epochs: 3\n  steps: 10"}},
       {"12:10: give either 'train.epochs' or 'train.steps', not both"}},
      {{{"epochs: 3", "epochs: three"}},
       {"11:11: 'train.epochs' must be a number, not 'three'"}},
      {{{"epochs: 3", "epochs: -1"}},
       {"11:11: 'train.epochs' must be above 0 and at most 1000000, not -1"}},
      {{{"epochs: 3", "epochs: .nan"}},
       {"11:11: 'train.epochs' must be a number, not '.nan'"}},
      {{{"epochs: 3", "epochs:"}},
       {"11:3: 'train.epochs' has no value; it must be a number"}},
      {{{"epochs: 3", "epochs: [3]"}},
       {"11:11: 'train.epochs' must be a number, not a list"}},
      {{{"epochs: 3", "epochs: {steps: 3}"}},
       {"11:11: 'train.epochs' must be a number, not a section"}},
      {{{"epochs: 3", "steps: 1.5"}},
       {"11:10: 'train.steps' must be a whole number, not '1.5'"}},
      {{{"epochs: 3", "steps: 99999999999999999999"}},
       {"11:10: 'train.steps' must be a whole number of at most 19 digits, not "
        "'99999999999999999999'"}},
      {{{"epochs: 3", "epochs: 3\n  epochs: 4"}},
       {"12:3: key 'epochs' is given twice"}},
      {{{"epochs: 3", "epochs: \"3\""}},
       {"11:11: 'train.epochs' must be a number, not the text \"3\""}},
      {{{"batch_size: 128", "batch_size: 0"}},
       {"12:22: 'train.global_batch_size' must be at least 1 and at most 100000000, not 0"}},
      {{{"global_batch_size: 128", "batch_size: 128"}},
       {"12:3: unknown key 'batch_size' – did you mean 'global_batch_size'?"}},
      {{{"  global_batch_size: 128\n", ""}},
       {"10:1: 'train.global_batch_size' is missing: Samples of one update, over all ranks "
        "together"}},
      {{{"apiVersion: ringmaster/v1", "apiVersion: ringmaster/v2"}},
       {"1:13: 'apiVersion' cannot be 'ringmaster/v2' – did you mean 'ringmaster/v1'?; possible: "
        "ringmaster/v1"}},
      {{{"apiVersion: ringmaster/v1\n", ""}},
       {"1:1: 'apiVersion' is missing: Version of the format of this file; possible: "
        "ringmaster/v1"}},
      {{{"kind: train", "kind: serve"}},
       {"2:7: 'kind': 'serve' is not supported yet; possible: train"}},
      {{{"kind: train", "kind: Train"}},
       {"2:7: 'kind' cannot be 'Train' – did you mean 'train'?; possible: train"}},
      {{{"name: mnist", "name: My Job"}},
       {"3:7: 'name' must be of a-z, 0-9 and '-', begin and end with a letter or digit, and have "
        "at most 56 characters"}},
      {{{"name: mnist", "name: ~"}},
       {"3:1: 'name' has no value; it must be a text"}},
      {{{"name: mnist", "name: mnist\nlr: 0.1"}},
       {"4:1: unknown key 'lr'; possible here: apiVersion, kind, name, labels, model, data, "
        "train, resources, scheduling, checkpoint, communication"}},
      {{{"name: mnist", "name: mnist\nglobal_batch_size: 64"}},
       {"4:1: unknown key 'global_batch_size' – it belongs under 'train'"}},
  });
}

TEST_CASE("labels, model, data and optimizer") {
  CheckAll({
      {{{"name: mnist", "name: mnist\nlabels: [a, b]"}},
       {"4:9: 'labels' must be a section of names and values"}},
      {{{"name: mnist", "name: mnist\nlabels: {team: {a: b}}"}},
       {"4:10: 'labels.team' must be a text, not a section"}},
      {{{"zoo: mlp", "onnx: model.onnx"}},
       {"4:1: 'model.zoo' is missing: Name of a built-in model: mlp, convnet",
        "5:3: 'onnx' is not supported yet"}},
      {{{"zoo: mlp", "zoo: mlp\n  params: {hidden1: many}"}},
       {"6:12: 'model.params.hidden1' must be a number, not 'many'"}},
      {{{"zoo: mlp", "zoo: mlp\n  loss: mse"}},
       {"6:9: 'model.loss': 'mse' is not supported yet; possible: softmax_cross_entropy"}},
      {{{"zoo: mlp", "zoo: mlp\n  loss: cross_entropy"}},
       {"6:9: 'model.loss' cannot be 'cross_entropy'; possible: softmax_cross_entropy"}},
      {{{"zoo: mlp", "zoo: mlp\n  label_smoothing: 1"}},
       {"6:20: 'model.label_smoothing' must be at least 0 and below 1, not 1"}},
      {{{"model:\n  zoo: mlp", "model: mlp"}},
       {"4:1: 'model' must be a section with keys (zoo, params, loss, label_smoothing)"}},
      {{{"    format: idx\n", ""}},
       {"7:3: 'data.train.format' is missing: How they are stored; possible: idx, csv, npy, tokens"}},
      {{{"format: idx", "format: parquet"}},
       {"9:13: 'data.train.format': 'parquet' is not supported yet; possible: idx, csv, npy, "
        "tokens"}},
      {{{"format: idx", "format: id"}},
       {"9:13: 'data.train.format' cannot be 'id' – did you mean 'idx'?; possible: idx, csv, npy, "
        "tokens"}},
      {{{"    path: data/mnist/train\n", "    path: ''\n"}},
       {"8:11: 'data.train.path' is missing: Where the training samples are"}},
      {{{"data:\n", "data:\n  validation: {path: x}\n"}},
       {"7:3: 'data.validation.format' is missing: How they are stored; possible: idx, csv, npy, tokens"}},
      {{{"data:\n", "data:\n  on_bad_record: quarantaine\n"}},
       {"7:18: 'data.on_bad_record' cannot be 'quarantaine' – did you mean 'quarantine'?; "
        "possible: fail, skip, quarantine"}},
      {{{"type: SGD", "type: Adam"}},
       {"14:11: 'train.optimizer.type': 'Adam' is not supported yet; possible: SGD"}},
      {{{"type: SGD", "type: sgd"}},
       {"14:11: 'train.optimizer.type' cannot be 'sgd' – did you mean 'SGD'?; possible: SGD"}},
      {{{"lr: 0.05", "learning_rate: 0.05"}},
       {"16:7: unknown parameter 'learning_rate' of SGD; possible: lr, momentum, weight_decay, "
        "nesterov",
        "16:7: 'train.optimizer.params.lr' is missing: Learning rate"}},
      {{{"lr: 0.05", "lr: 0"}},
       {"16:7: 'train.optimizer.params.lr' must be above 0 and at most 1000000, not 0"}},
      {{{"lr: 0.05", "lr: true"}},
       {"16:7: 'train.optimizer.params.lr' must be a number, not 'true'"}},
      {{{"momentum: 0.9", "momentun: 0.9"}},
       {"17:7: unknown parameter 'momentun' of SGD – did you mean 'momentum'?; possible: lr, "
        "momentum, weight_decay, nesterov"}},
      {{{"momentum: 0.9", "momentum: 0.9\n      nesterov: 1"}},
       {"18:7: 'train.optimizer.params.nesterov' must be true or false, not '1'"}},
  });
}

// The job file with a csv source and this schema.
std::vector<std::pair<std::string, std::string>> WithSchema(const std::string& schema) {
  return {{"format: idx", "format: csv\n  schema: " + schema}};
}

TEST_CASE("the schema of a csv file") {
  CheckAll({
      {{{"format: idx", "format: csv"}},
       {"6:1: 'data.schema.label' is missing: a csv file needs the name of the column that says "
        "which class a record is"}},
      {WithSchema("{features: [a, b]}"),
       {"10:3: 'data.schema.label' is missing: a csv file needs the name of the column that says "
        "which class a record is"}},
      {{{"data:\n", "data:\n  schema: {label: y}\n"}},
       {"7:3: 'data.schema' is for csv files, but 'data.train.format' is 'idx'"}},
      {{{"format: idx", "format: csv\n  validation: {path: x, format: npy}\n  schema: {label: y}"}},
       {"10:33: 'data.validation.format' is 'npy', but 'data.train.format' is 'csv': either both "
        "are csv or neither is, since a csv validation set has the categories and means of the "
        "training file"}},
      {WithSchema("{label: y, feature: [a]}"),
       {"10:22: unknown key 'feature' – did you mean 'features'?"}},
      {WithSchema("{label: y, features: a}"),
       {"10:32: 'data.schema.features' must be a list of texts, as in [a, b]"}},
      {WithSchema("{label: y, features: [a, [b]]}"),
       {"10:32: 'data.schema.features' must be a text, not a list"}},
      {WithSchema("{label: y, features: [a, y]}"),
       {"10:32: 'data.schema.features': 'y' is the label, so it cannot be a feature"}},
      {WithSchema("{label: y, features: [b, a, b]}"),
       {"10:32: 'data.schema.features' has 'b' twice"}},
      {WithSchema("{label: y, features: [a, '']}"),
       {"10:32: 'data.schema.features': each text has at least one and at most 256 bytes, without "
        "control characters"}},
      {WithSchema("{label: y, types: {a: flaot}}"),
       {"10:30: 'data.schema.types.a' cannot be 'flaot' – did you mean 'float'?; possible: float, "
        "int, category"}},
      {WithSchema("{label: y, types: {y: float}}"),
       {"10:30: 'data.schema.types.y': the label says which class a record is, so it is int or "
        "category, not float"}},
      {WithSchema("{label: y, features: [width], types: {widht: int}}"),
       {"10:49: 'data.schema.types': 'widht' is neither a feature nor the label – did you mean "
        "'width'?"}},
      {WithSchema("{label: y, missing: median}"),
       {"10:31: 'data.schema.missing' cannot be 'median' – did you mean 'mean'?; possible: error, "
        "zero, mean"}},
  });
}

TEST_CASE("training") {
  CheckAll({
      {{{"momentum: 0.9", "nesterov: true"}},
       {"17:7: 'train.optimizer.params.nesterov' needs a momentum above 0"}},
      {{{"epochs: 3", "epochs: 3\n  early_stopping: {patience: 3}"}},
       {"12:3: 'early_stopping' is not supported yet"}},
      {{{"epochs: 3", "epochs: 3\n  determinism: exact\n  virtual_shards: 8\n  precision: bf16"}},
       {"12:16: 'train.determinism': 'exact' is not supported yet; possible: fast",
        "13:3: 'virtual_shards' is not supported yet",
        "14:14: 'train.precision': 'bf16' is not supported yet; possible: fp32"}},
      {{{"epochs: 3", "epochs: 3\n  gradient_accumulation: 2"}},
       {"12:26: 'train.gradient_accumulation' above 1 is not supported yet"}},
      {{{"epochs: 3", "epochs: 3\n  evaluate_every: 1"}},
       {"12:3: 'train.evaluate_every' must be a section with keys (epochs, steps)"}},
      {{{"epochs: 3", "epochs: 3\n  evaluate_every: {step: 10}"}},
       {"12:20: unknown key 'step' – did you mean 'steps'?"}},
      {{{"epochs: 3", "epochs: 3\n  evaluate_every: {steps: 10, epochs: 1}"}},
       {"12:27: give either 'train.evaluate_every.epochs' or 'train.evaluate_every.steps', not "
        "both"}},
  });
}

TEST_CASE("resources, scheduling, checkpoints and communication") {
  CheckAll({
      {{{"kind: train", "kind: train\nresources: {ranks: 200}"}},
       {"13:22: 'train.global_batch_size' is 128, but 'resources.ranks' is 200: each rank needs a "
        "sample"}},
      {{{"kind: train", "kind: train\nresources: {ranks: {min: 1, max: 4}}"}},
       {"3:20: 'resources.ranks': elastic jobs (min 1, max 4) are not supported yet; give one "
        "number"}},
      {{{"kind: train", "kind: train\nresources: {ranks: {min: 1}}"}},
       {"3:20: 'resources.ranks' must be a number or {min: N, max: M}"}},
      {{{"kind: train", "kind: train\nresources: {ranks: 0, slots_per_rank: two}"}},
       {"3:20: 'resources.ranks' must be at least 1 and at most 100000, not 0",
        "3:39: 'resources.slots_per_rank' must be a whole number, not 'two'"}},
      {{{"kind: train", "kind: train\nresources: {num_workers: 2}"}},
       {"3:13: unknown key 'num_workers'; possible here: ranks, slots_per_rank, accelerator, "
        "node_selector, placement"}},
      {{{"kind: train", "kind: train\nresources: {accelerator: gpu}"}},
       {"3:26: 'resources.accelerator' cannot be 'gpu' – did you mean 'cpu'?; possible: cpu"}},
      {{{"kind: train", "kind: train\nresources: {accelerator: cuda, memory_per_rank: 2GiB}"}},
       {"3:26: 'resources.accelerator': 'cuda' is not supported yet; possible: cpu",
        "3:32: 'memory_per_rank' is not supported yet"}},
      {{{"kind: train", "kind: train\nscheduling: {priority: 100, time_limit: 4}"}},
       {"3:24: 'scheduling.priority' must be at least 0 and at most 99, not 100",
        "3:41: 'scheduling.time_limit': \"4\" is not a duration: a unit is missing; write a "
        "number and a unit (ms, s, m, h, d), as in 500ms, 30s, 1h30m"}},
      {{{"kind: train", "kind: train\nscheduling: {time_limit: -4h, queue_timeout: 2 weeks}"}},
       {"3:26: 'scheduling.time_limit': \"-4h\" is not a duration: it may not be negative; write "
        "a number and a unit (ms, s, m, h, d), as in 500ms, 30s, 1h30m",
        "3:46: 'scheduling.queue_timeout': \"2 weeks\" is not a duration: a unit is missing; "
        "write a number and a unit (ms, s, m, h, d), as in 500ms, 30s, 1h30m"}},
      {{{"kind: train", "kind: train\nscheduling: {pool: gpu, preemptible: true}"}},
       {"3:20: 'scheduling.pool' cannot be 'gpu'; possible: default",
        "3:25: 'preemptible' is not supported yet"}},
      {{{"kind: train", "kind: train\ncheckpoint: {every: {steps: 10, seconds: 10}}"}},
       {"3:42: give either 'checkpoint.every.steps' or 'checkpoint.every.seconds', not both"}},
      {{{"kind: train", "kind: train\ncheckpoint: {every: 10, keep: 2}"}},
       {"3:14: 'checkpoint.every' must be a section with keys (steps, seconds)",
        "3:25: 'checkpoint.keep' must be a section with keys (last)"}},
      {{{"kind: train", "kind: train\ncheckpoint: {keep: {last: 0, best: 1}}"}},
       {"3:27: 'checkpoint.keep.last' must be at least 1 and at most 1000000, not 0",
        "3:30: 'best' is not supported yet"}},
      {{{"kind: train", "kind: train\ncommunication: {transport: shm, bucket_size: -8MiB}"}},
       {"3:28: 'communication.transport': 'shm' is not supported yet; possible: auto, grpc",
        "3:46: 'communication.bucket_size': \"-8MiB\" is not a size: it may not be negative; "
        "write a number and a unit (B, KB, MB, GB, TB of 1000, or KiB, MiB, GiB, TiB of 1024), as "
        "in 64MB, 1.5GiB"}},
      {{{"kind: train", "kind: train\ncommunication: {bucket_size: 8 megabytes}"}},
       {"3:30: 'communication.bucket_size': \"8 megabytes\" is not a size: unknown unit "
        "\"megabytes\"; write a number and a unit (B, KB, MB, GB, TB of 1000, or KiB, MiB, GiB, "
        "TiB of 1024), as in 64MB, 1.5GiB"}},
      {{{"kind: train", "kind: train\ncommunication: {bucket_size: 1KB}"}},
       {"3:30: 'communication.bucket_size' must be at least 1024 and at most 2147483648, not "
        "1000"}},
  });
}

TEST_CASE("YAML itself") {
  CheckAll({
      {{{"  zoo: mlp", "\tzoo: mlp"}},
       {"5:1: a tab indents this line; YAML takes spaces only"}},
      {{{"zoo: mlp", "zoo: 'mlp"}},
       {"5:3: this is not valid YAML: a quote is opened here or soon after, and never closed"}},
      {{{"name: mnist", "name: mnist: two"}},
       {"3:12: this is not valid YAML: illegal map value"}},
      {{{"name: mnist", " name: mnist"}},
       {"3:6: this is not valid YAML: illegal map value"}},
      {{{"name: mnist", "name: *nobody"}},
       {"3:7: this is not valid YAML: the referenced anchor is not defined"}},
      {{{"name: mnist", "name: &a [*a]"}},
       {"3:11: this alias stands inside what it stands for: a cycle"}},
      {{{"name: mnist", "name: !!str mnist"}},
       {"3:7: YAML tags ('tag:yaml.org,2002:str') have no meaning in a job file"}},
      {{{"name: mnist", "name: mnist\n---\nname: other"}},
       {"4:1: a job file is one YAML document; this begins a second one"}},
      {{{"name: mnist", "name: mnist\n? [a, b]\n: c"}},
       {"4:3: a key must be a word, not a list, a mapping or nothing"}},
      {{{"name: mnist", "name: \xff"}},
       {"3:7: the file is not valid UTF-8 here"}},
      {{{"zoo: mlp", "zoo: mlp\n  zoom: 3"}},
       {"6:3: unknown key 'zoom' – did you mean 'zoo'?"}},
      {{{"epochs: 3", "epoch: 3"},
        {"zoo: mlp","zo: mlp"},
        {"lr: 0.05","lr: x"},
        {"kind: train","kind: tarin"},
        {"name: mnist","name: M"}},
       {"2:7: 'kind' cannot be 'tarin' – did you mean 'train'?; possible: train",
        "3:7: 'name' must be of a-z, 0-9 and '-', begin and end with a letter or digit, and have "
        "at most 56 characters",
        "5:3: unknown key 'zo' – did you mean 'zoo'?",
        "11:3: unknown key 'epoch' – did you mean 'epochs'?",
        "16:7: 'train.optimizer.params.lr' must be a number, not 'x'"}},
  });
}

TEST_CASE("files that are no job files at all") {
  const struct {
    const char *yaml, *error;
  } cases[] = {
      {"", "1:1: the file is empty; it begins with 'apiVersion: ringmaster/v1'"},
      {"# nothing\n", "1:1: the file is empty; it begins with 'apiVersion: ringmaster/v1'"},
      {"- a\n- b\n",
       "1:1: a job file is a list of keys with values; it begins with 'apiVersion: ringmaster/v1'"},
      {"train", "1:1: a job file is a list of keys with values; it begins with "
                "'apiVersion: ringmaster/v1'"},
  };
  for (const auto& test : cases) {
    CHECK(ErrorsOf(test.yaml) == std::vector<std::string>{test.error});
  }
}

TEST_CASE("errors of --set name it, and stand after those of the file") {
  const struct {
    std::vector<std::string> overrides;
    std::vector<std::string> errors;
  } cases[] = {
      {{"train.epoch=3"},
       {"0:0: --set train.epoch=3: unknown key 'epoch' – did you mean 'epochs'?"}},
      {{"train.steps=many"},
       {"0:0: --set train.steps=many: 'train.steps' must be a whole number, not 'many'"}},
      {{"resources.ranks=0", "name=M"},
       {"0:0: --set resources.ranks=0: 'resources.ranks' must be at least 1 and at most 100000, "
        "not 0",
        "0:0: --set name=M: 'name' must be of a-z, 0-9 and '-', begin and end with a letter or "
        "digit, and have at most 56 characters"}},
      {{"train.epochs="},
       {"0:0: --set train.epochs=: one of 'train.epochs' and 'train.steps' must be given"}},
      {{"train=3"},
       {"0:0: --set train=3: 'train' must be a section with keys (epochs, steps, "
        "global_batch_size, gradient_accumulation, determinism, precision, seed, optimizer, "
        "scheduler, evaluate_every, on_nonfinite)"}},
      {{"resources.ranks=200"},
       {"12:22: 'train.global_batch_size' is 128, but 'resources.ranks' is 200: each rank needs a "
        "sample"}},
      {{"nonsense"}, {"0:0: --set nonsense: write it as field.path=value"}},
  };
  for (const auto& test : cases) CHECK(ErrorsOf(SmallJob(), test.overrides) == test.errors);
}

TEST_CASE("a hopeless file is told so in fifty lines") {
  std::string yaml;
  for (int i = 0; i < 500; ++i) absl::StrAppend(&yaml, "key", i, ": 1\n");
  const auto errors = ErrorsOf(yaml);
  REQUIRE(errors.size() == static_cast<size_t>(kErrorsMax));
  CHECK(errors.back() == "0:0: … and 460 more errors");
}

}  // namespace
}  // namespace rm::jobspec
