// One table a family. An error that changes changes here, where it can be read as a user would.
#include "runtime/jobspec/testing_bad_files.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/jobspec/testing.h"

namespace rm::jobspec {
namespace {

// Lengths, names and required keys.
std::vector<BadFile> Lengths() {
  return {
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
  };
}

// Labels, model, data and optimizer.
std::vector<BadFile> Components() {
  return {
      {{{"name: mnist", "name: mnist\nlabels: [a, b]"}},
       {"4:9: 'labels' must be a section of names and values"}},
      {{{"name: mnist", "name: mnist\nlabels: {team: {a: b}}"}},
       {"4:10: 'labels.team' must be a text, not a section"}},
      {{{"zoo: mlp", "zoo: mlp\n  onnx: model.onnx"}},
       {"6:9: give either 'model.zoo' or 'model.onnx', not both"}},
      {{{"zoo: mlp", "weights: w.safetensors"}},
       {"4:1: one of 'model.zoo' and 'model.onnx' must be given"}},
      {{{"zoo: mlp", "onnx: model.onnx\n  params: {classes: 3}"}},
       {"6:11: 'model.params' is for built-in models; 'model.onnx' is a network that has all its "
        "sizes"},
       true},
      {{{"zoo: mlp", "onnx: artifact:123"}},
       {"5:9: 'model.onnx': 'artifact:' must be followed by the 64 hex digits of a SHA-256"}},
      {{{"zoo: mlp", "zoo: mlp\n  params: {hidden1: many}"}},
       {"6:12: 'model.params.hidden1' must be a number, not 'many'"}},
      {{{"zoo: mlp", "zoo: mlp\n  loss: cross_entropy"}},
       {"6:9: 'model.loss' cannot be 'cross_entropy'; possible: softmax_cross_entropy, mse, "
        "sigmoid_binary_cross_entropy"}},
      {{{"zoo: mlp", "zoo: mlp\n  loss: mse\n  label_smoothing: 0.1"}},
       {"7:20: 'model.label_smoothing' is for losses with classes, not for 'mse'"},
       true},
      {{{"zoo: mlp", "zoo: mlp\n  loss: mse"},
        {"format: idx", "format: csv\n  schema: {label: y, types: {y: category}}"}},
       {"11:30: 'data.schema.types.y': 'model.loss: mse' compares numbers, so the label is float or "
        "int, not category"},
       true},
      {{{"format: idx", "format: idx\n  inputs: {x: [a]}"}},
       {"10:11: 'data.inputs' is for csv files, but 'data.train.format' is 'idx'"},
       true},
      {{{"format: idx", "format: csv\n  schema: {label: y}\n  inputs: [a]"}},
       {"11:11: 'data.inputs' must be a section of names and values"}},
      {{{"format: idx", "format: csv\n  schema: {label: y}\n  inputs: {x: a}"}},
       {"11:12: 'data.inputs.x' must be a list of texts, as in [a, b]"}},
      {{{"format: idx", "format: csv\n  schema: {label: y}\n  inputs: {x: []}"}},
       {"11:12: 'data.inputs.x' names no column"},
       true},
      {{{"format: idx", "format: csv\n  schema: {label: y}\n  inputs: {x: [a, a]}"}},
       {"11:12: 'data.inputs.x' has 'a' twice"},
       true},
      {{{"format: idx",
         "format: csv\n  schema: {features: [a, b], label: y}\n  inputs: {x: [a, c]}"}},
       {"10:22: 'data.schema.features': 'b' goes to no input in 'data.inputs'",
        "11:12: 'data.inputs.x': 'c' is not in 'data.schema.features'"},
       true},
      {{{"zoo: mlp", "zoo: mlp\n  label_smoothing: 1"}},
       {"6:20: 'model.label_smoothing' must be at least 0 and below 1, not 1"}},
      {{{"model:\n  zoo: mlp", "model: mlp"}},
       {"4:1: 'model' must be a section with keys (zoo, params, onnx, weights, freeze, loss, "
        "label_smoothing)"}},
      {{{"    format: idx\n", ""}},
       {"7:3: 'data.train.format' is missing: How they are stored; possible: idx, csv, npy, "
        "tokens"}},
      {{{"format: idx", "format: parquet"}},
       {"9:13: 'data.train.format': 'parquet' is not supported yet; possible: idx, csv, npy, "
        "tokens"}},
      {{{"format: idx", "format: id"}},
       {"9:13: 'data.train.format' cannot be 'id' – did you mean 'idx'?; possible: idx, csv, "
        "npy, tokens"}},
      {{{"    path: data/mnist/train\n", "    path: ''\n"}},
       {"8:11: 'data.train.path' is missing: Where the training samples are"}},
      {{{"data:\n", "data:\n  validation: {path: x}\n"}},
       {"7:3: 'data.validation.format' is missing: How they are stored; possible: idx, csv, npy, "
        "tokens"}},
      {{{"data:\n", "data:\n  on_bad_record: quarantaine\n"}},
       {"7:18: 'data.on_bad_record' cannot be 'quarantaine' – did you mean 'quarantine'?; "
        "possible: fail, skip, quarantine"}},
      {{{"type: SGD", "type: LAMB"}},
       {"14:11: 'train.optimizer.type': 'LAMB' is not supported yet; possible: SGD, Adam, AdamW"}},
      {{{"type: SGD", "type: sgd"}},
       {"14:11: 'train.optimizer.type' cannot be 'sgd' – did you mean 'SGD'?; possible: SGD, "
        "Adam, AdamW"}},
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
  };
}

// The job file with a csv source and this schema.
std::vector<std::pair<std::string, std::string>> WithSchema(const std::string& schema) {
  return {{"format: idx", "format: csv\n  schema: " + schema}};
}

// The schema of a csv file: much of it are relations.
std::vector<BadFile> Csv() {
  return {
      {{{"format: idx", "format: csv"}},
       {"6:1: 'data.schema.label' is missing: a csv file needs the name of the column that is to "
        "be predicted"},
       true},
      {WithSchema("{features: [a, b]}"),
       {"10:3: 'data.schema.label' is missing: a csv file needs the name of the column that is to "
        "be predicted"},
       true},
      {{{"data:\n", "data:\n  schema: {label: y}\n"}},
       {"7:3: 'data.schema' is for csv files, but 'data.train.format' is 'idx'"},
       true},
      {{{"format: idx", "format: csv\n  validation: {path: x, format: npy}\n  schema: {label: y}"}},
       {"10:33: 'data.validation.format' is 'npy', but 'data.train.format' is 'csv': either both "
        "are csv or neither is, since a csv validation set has the categories and means of the "
        "training file"},
       true},
      {WithSchema("{label: y, feature: [a]}"),
       {"10:22: unknown key 'feature' – did you mean 'features'?"}},
      {WithSchema("{label: y, features: a}"),
       {"10:32: 'data.schema.features' must be a list of texts, as in [a, b]"}},
      {WithSchema("{label: y, features: [a, [b]]}"),
       {"10:32: 'data.schema.features' must be a text, not a list"}},
      {WithSchema("{label: y, features: [a, y]}"),
       {"10:32: 'data.schema.features': 'y' is the label, so it cannot be a feature"},
       true},
      {WithSchema("{label: y, features: [b, a, b]}"),
       {"10:32: 'data.schema.features' has 'b' twice"},
       true},
      {WithSchema("{label: y, features: [a, '']}"),
       {"10:32: 'data.schema.features': each text has at least one and at most 256 bytes, without "
        "control characters"},
       true},
      {WithSchema("{label: y, types: {a: flaot}}"),
       {"10:30: 'data.schema.types.a' cannot be 'flaot' – did you mean 'float'?; possible: "
        "float, int, category"}},
      {WithSchema("{label: y, types: {y: float}}"),
       {"10:30: 'data.schema.types.y': the label says which class a record is, so it is int or "
        "category, not float"},
       true},
      {WithSchema("{label: y, features: [width], types: {widht: int}}"),
       {"10:49: 'data.schema.types': 'widht' is neither a feature nor the label – did you mean "
        "'width'?"},
       true},
      {WithSchema("{label: y, missing: median}"),
       {"10:31: 'data.schema.missing' cannot be 'median' – did you mean 'mean'?; possible: "
        "error, zero, mean"}},
  };
}

// Training.
std::vector<BadFile> Training() {
  return {
      {{{"momentum: 0.9", "nesterov: true"}},
       {"17:7: 'train.optimizer.params.nesterov' needs a momentum above 0"},
       true},
      {{{"epochs: 3", "epochs: 3\n  early_stopping: {patience: 3}"}},
       {"12:3: 'early_stopping' is not supported yet"}},
      {{{"epochs: 3", "epochs: 3\n  determinism: exact\n  virtual_shards: 8\n  precision: fp16"}},
       {"14:14: 'train.precision': 'fp16' is not supported yet; possible: fp32, bf16"}},
      {{{"epochs: 3", "epochs: 3\n  determinism: exact\n  virtual_shards: 12"}},
       {"13:19: 'train.virtual_shards' is 12: it must be a power of two, no less than 'resources.ranks' (1), that "
        "divides 'train.global_batch_size' (128)"},
       true},
      {{{"epochs: 3", "epochs: 3\n  virtual_shards: 8"}},
       {"12:19: 'train.virtual_shards' goes with 'train.determinism: exact'"},
       true},
      {{{"epochs: 3", "epochs: 3\n  determinism: exact\n  gradient_accumulation: 2"}},
       {"13:26: 'train.gradient_accumulation' is 2: with 'train.determinism: exact' the virtual shards are the parts; "
        "give more 'train.virtual_shards'"},
       true},
      {{{"epochs: 3", "epochs: 3\n  gradient_accumulation: 0"}},
       {"12:26: 'train.gradient_accumulation' must be at least 1 and at most 1000000, not 0"}},
      {{{"epochs: 3", "epochs: 3\n  evaluate_every: 1"}},
       {"12:3: 'train.evaluate_every' must be a section with keys (epochs, steps)"}},
      {{{"epochs: 3", "epochs: 3\n  evaluate_every: {step: 10}"}},
       {"12:20: unknown key 'step' – did you mean 'steps'?"}},
      {{{"epochs: 3", "epochs: 3\n  evaluate_every: {steps: 10, epochs: 1}"}},
       {"12:27: give either 'train.evaluate_every.epochs' or 'train.evaluate_every.steps', not "
        "both"}},
  };
}

// Resources, scheduling, checkpoints and communication.
std::vector<BadFile> Running() {
  return {
      {{{"kind: train", "kind: train\nresources: {ranks: 200}"}},
       {"13:22: 'train.global_batch_size' is 128, but 'resources.ranks' is 200: each rank needs a "
        "sample"},
       true},
      {{{"kind: train", "kind: train\nresources: {ranks: {min: 1, max: 4}}"}},
       {"3:20: 'resources.ranks': elastic jobs (min 1, max 4) are not supported yet; give one "
        "number"},
       true},
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
      {{{"kind: train", "kind: train\ncommunication: {transport: nccl, bucket_size: -8MiB}"}},
       {"3:28: 'communication.transport': 'nccl' is not supported yet; possible: auto, grpc, shm, tcp",
        "3:47: 'communication.bucket_size': \"-8MiB\" is not a size: it may not be negative; "
        "write a number and a unit (B, KB, MB, GB, TB of 1000, or KiB, MiB, GiB, TiB of 1024), as "
        "in 64MB, 1.5GiB"}},
      {{{"kind: train", "kind: train\ncommunication: {bucket_size: 8 megabytes}"}},
       {"3:30: 'communication.bucket_size': \"8 megabytes\" is not a size: unknown unit "
        "\"megabytes\"; write a number and a unit (B, KB, MB, GB, TB of 1000, or KiB, MiB, GiB, "
        "TiB of 1024), as in 64MB, 1.5GiB"}},
      {{{"kind: train", "kind: train\ncommunication: {bucket_size: 1KB}"}},
       {"3:30: 'communication.bucket_size' must be at least 1 KiB and at most 2 GiB, not "
        "1000 bytes"},
       true},
  };
}

// YAML itself.
std::vector<BadFile> Yaml() {
  return {
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
  };
}

// What a hand or a program may write where one number is wanted.
std::vector<BadFile> Numbers() {
  return {
      {{{"epochs: 3", "steps: 0x10"}},
       {"11:10: 'train.steps' must be a whole number, not '0x10'"}},
      {{{"epochs: 3", "steps: 010"}},
       {"11:10: 'train.steps' must be a whole number, not '010'"},
       true},
      {{{"epochs: 3", "steps: 1_000"}},
       {"11:10: 'train.steps' must be a whole number, not '1_000'"}},
      {{{"epochs: 3", "steps: 1e3"}},
       {"11:10: 'train.steps' must be a whole number, not '1e3'"},
       true},
      {{{"epochs: 3", "steps: 12 000"}},
       {"11:10: 'train.steps' must be a whole number, not '12 000'"}},
      {{{"epochs: 3", "steps: yes"}},
       {"11:10: 'train.steps' must be a whole number, not 'yes'"}},
      {{{"epochs: 3", "epochs: .inf"}},
       {"11:11: 'train.epochs' must be a number, not '.inf'"}},
      {{{"epochs: 3", "epochs: nan"}},
       {"11:11: 'train.epochs' must be a number, not 'nan'"}},
      {{{"epochs: 3", "epochs: 1e999"}},
       {"11:11: 'train.epochs' must be a finite number, not '1e999'"}},
      {{{"epochs: 3", "epochs: 1,5"}},
       {"11:11: 'train.epochs' must be a number, not '1,5'"}},
      {{{"epochs: 3", "epochs: 3\n  seed: -1"}},
       {"12:9: 'train.seed' must be at least 0 and at most 9007199254740992, not -1"}},
      {{{"epochs: 3", "epochs: 3\n  seed: 9007199254740994"}},
       {"12:9: 'train.seed' must be at least 0 and at most 9007199254740992, not "
        "9007199254740994"}},
      {{{"lr: 0.05", "lr: -0.05"}},
       {"16:7: 'train.optimizer.params.lr' must be above 0 and at most 1000000, not -0.05"}},
      {{{"lr: 0.05", "lr: .nan"}},
       {"16:7: 'train.optimizer.params.lr' must be a number, not '.nan'"}},
      {{{"momentum: 0.9", "momentum: 1"}},
       {"17:7: 'train.optimizer.params.momentum' must be at least 0 and below 1, not 1"}},
      {{{"kind: train", "kind: train\nresources: {ranks: -2}"}},
       {"3:20: 'resources.ranks' must be at least 1 and at most 100000, not -2"}},
      {{{"kind: train", "kind: train\nresources: {ranks: {min: 4, max: 2}}"}},
       {"3:20: 'resources.ranks': min (4) is above max (2)"}, true},
      {{{"kind: train", "kind: train\nresources: {ranks: {min: 0, max: 2, step: 1}}"}},
       {"3:20: 'resources.ranks' must be a number or {min: N, max: M}"}},
      {{{"kind: train", "kind: train\nscheduling: {time_limit: 1h 30m}"}},
       {"3:26: 'scheduling.time_limit': \"1h 30m\" is not a duration: a number is missing or "
        "malformed; write a number and a unit (ms, s, m, h, d), as in 500ms, 30s, 1h30m"}},
      {{{"kind: train", "kind: train\nscheduling: {time_limit: 30m1h}"}},
       {"3:26: 'scheduling.time_limit': \"30m1h\" is not a duration: units must go from long "
        "to short, each at most once; write a number and a unit (ms, s, m, h, d), as in 500ms, "
        "30s, 1h30m"}},
      {{{"kind: train", "kind: train\nscheduling: {time_limit: 366d}"}},
       {"3:26: 'scheduling.time_limit' must be at least 0s and at most 365d, not 366d"}, true},
      {{{"kind: train", "kind: train\nscheduling: {time_limit: nan}"}},
       {"3:26: 'scheduling.time_limit': \"nan\" is not a duration: a number is missing or "
        "malformed; write a number and a unit (ms, s, m, h, d), as in 500ms, 30s, 1h30m"}},
      {{{"kind: train", "kind: train\nscheduling: {hang_after: 0s}"}},
       {"3:26: 'scheduling.hang_after' must be at least 1s and at most 365d, not 0s"}, true},
      {{{"kind: train", "kind: train\ncommunication: {bucket_size: -1}"}},
       {"3:30: 'communication.bucket_size': \"-1\" is not a size: it may not be negative; "
        "write a number and a unit (B, KB, MB, GB, TB of 1000, or KiB, MiB, GiB, TiB of 1024), "
        "as in 64MB, 1.5GiB"}},
      {{{"kind: train", "kind: train\ncommunication: {bucket_size: 3GiB}"}},
       {"3:30: 'communication.bucket_size' must be at least 1 KiB and at most 2 GiB, not "
        "3 GiB"},
       true},
  };
}

// Texts that are no good as names, paths or labels.
std::vector<BadFile> Texts() {
  const std::string long_path(5000, 'p');
  return {
      {{{"name: mnist", "name: -mnist"}},
       {"3:7: 'name' must be of a-z, 0-9 and '-', begin and end with a letter or digit, and "
        "have at most 56 characters"}},
      {{{"name: mnist", "name: " + std::string(57, 'n')}},
       {"3:7: 'name' must be of a-z, 0-9 and '-', begin and end with a letter or digit, and "
        "have at most 56 characters"}},
      {{{"name: mnist", "name: mnist/../../etc"}},
       {"3:7: 'name' must be of a-z, 0-9 and '-', begin and end with a letter or digit, and "
        "have at most 56 characters"}},
      {{{"name: mnist", "name: [mnist]"}},
       {"3:7: 'name' must be a text, not a list"}},
      {{{"path: data/mnist/train", "path: \"data\\u0007\""}},
       {"8:11: 'data.train.path' has a control character in it"}, true},
      {{{"path: data/mnist/train", "path: \"data\\0\""}},
       {"8:11: 'data.train.path' has a control character in it"}, true},
      {{{"path: data/mnist/train", "path: " + long_path}},
       {"8:11: 'data.train.path' is longer than 4096 bytes"}, true},
      {{{"path: data/mnist/train", "path: {folder: data}"}},
       {"8:11: 'data.train.path' must be a text, not a section"}},
      {{{"zoo: mlp", "zoo:"}},
       {"5:3: 'model.zoo' has no value; it must be a text"}},
      {{{"zoo: mlp", "zoo: [mlp]"}},
       {"5:8: 'model.zoo' must be a text, not a list"}},
      {{{"zoo: mlp", "zoo: mlp\n  weights: [a, b]"}},
       {"6:12: 'model.weights' must be a text, not a list"}},
      {{{"zoo: mlp", "zoo: mlp\n  weights: artifact:1234"}},
       {"6:12: 'model.weights': 'artifact:' must be followed by the 64 hex digits of a SHA-256"}},
      {{{"zoo: mlp", "zoo: mlp\n  params: [1, 2]"}},
       {"6:11: 'model.params' must be a section of names and values"}},
      {{{"zoo: mlp", "zoo: mlp\n  params: {hidden1: \"512\"}"}},
       {"6:12: 'model.params.hidden1' must be a number, not the text \"512\""}},
      {{{"name: mnist", "name: mnist\nlabels: {team: " + std::string(300, 't') + "}"}},
       {"4:10: 'labels.team': name and text have at most 256 bytes, without control "
        "characters, and a name at least one"}, true},
      {{{"name: mnist", "name: mnist\nlabels: {\"\": x}"}},
       {"4:10: 'labels.': name and text have at most 256 bytes, without control characters, "
        "and a name at least one"}, true},
      {{{"name: mnist", "name: mnist\nlabels: text"}},
       {"4:9: 'labels' must be a section of names and values"}},
  };
}

// Whole sections in the wrong place or shape.
std::vector<BadFile> Sections() {
  return {
      {{{"train:\n  epochs", "training:\n  epochs"}},
       {"10:1: unknown key 'training' – did you mean 'train'?"}},
      {{{"kind: train", "kind: train\ntrain: {}"}},
       {"3:1: 'train.global_batch_size' is missing: Samples of one update, over all ranks "
        "together",
        "3:1: one of 'train.epochs' and 'train.steps' must be given",
        "3:1: 'train.optimizer.params.lr' is missing: Learning rate",
        "11:1: key 'train' is given twice"}},
      {{{"kind: train", "kind: train\nresources: []"}},
       {"3:1: 'resources' must be a section with keys (ranks, slots_per_rank, accelerator, "
        "node_selector, placement)"}},
      {{{"kind: train", "kind: train\nresources: 2"}},
       {"3:1: 'resources' must be a section with keys (ranks, slots_per_rank, accelerator, "
        "node_selector, placement)"}},
      {{{"kind: train", "kind: train\nscheduler: {type: ConstantLR}"}},
       {"3:1: unknown key 'scheduler' – did you mean 'scheduling'?"}},
      {{{"kind: train", "kind: train\nspec: {replicas: 2}"}},
       {"3:1: unknown key 'spec'; possible here: apiVersion, kind, name, labels, model, data, "
        "train, resources, scheduling, checkpoint, communication"}},
      {{{"    path: data/mnist/train\n    format: idx\n", ""}},
       {"7:3: 'data.train.path' is missing: Where the training samples are",
        "7:3: 'data.train.format' is missing: How they are stored; possible: idx, csv, npy, "
        "tokens"}},
      {{{"data:\n", "data:\n  test: {path: x, format: idx}\n"}},
       {"7:3: unknown key 'test'; possible here: train, validation, schema, inputs, "
        "on_bad_record"}},
      {{{"type: SGD\n    params:\n      lr: 0.05\n      momentum: 0.9", "params: {momentum: 0.9}"}},
       {"14:13: 'train.optimizer.params.lr' is missing: Learning rate"}},
      {{{"optimizer:", "optimizer: SGD\n  optimiser:"}},
       {"13:3: 'train.optimizer' must be a section with keys (type, params, no_decay)",
        "14:3: unknown key 'optimiser' – did you mean 'optimizer'?"}},
      {{{"momentum: 0.9", "momentum: 0.9\n  scheduler: {params: {gamma: 0.1}}"}},
       {"18:24: unknown parameter 'gamma' of ConstantLR; it takes none"}},
      {{{"kind: train", "kind: train\nscheduling: {group: research}"}},
       {"3:14: 'group' is not supported yet"}},
  };
}

// What YAML lets people write and a job file does not.
std::vector<BadFile> Structure() {
  return {
      {{{"model:", "base: &base {zoo: mlp}\nmodel:\n  <<: *base\nunused:"}},
       {"4:1: unknown key 'base'; possible here: apiVersion, kind, name, labels, model, data, "
        "train, resources, scheduling, checkpoint, communication",
        "7:1: unknown key 'unused'; possible here: apiVersion, kind, name, labels, model, "
        "data, train, resources, scheduling, checkpoint, communication"}},
      {{{"  zoo: mlp", "  <<: {zoo: mlp, dropout: 0.1}"}},
       {"5:18: unknown key 'dropout'; possible here: zoo, params, onnx, weights, freeze, "
        "loss, label_smoothing"}},
      {{{"  zoo: mlp", "  <<: [{zoo: mlp}, 3]"}},
       {"5:20: '<<' merges mappings; this is none"}},
      {{{"  zoo: mlp", "  <<: mlp"}},
       {"5:7: '<<' merges mappings; this is none"}},
      {{{"name: mnist", "name: mnist\nmodel: {zoo: convnet}"}},
       {"5:1: key 'model' is given twice"}},
      {{{"zoo: mlp", "zoo: mlp\n   params: {}"}},
       {"6:10: this is not valid YAML: illegal map value"}},
      {{{"zoo: mlp", "zoo: mlp\n  params: {a: 1"}},
       {"7:5: this is not valid YAML: end of map flow not found"}},
      {{{"zoo: mlp", "zoo: mlp\n  params: {a: 1, a: 2}"}},
       {"6:18: key 'a' is given twice"}},
      {{{"zoo: mlp", "zoo mlp"}},
       {"4:1: 'model' must be a section with keys (zoo, params, onnx, weights, freeze, loss, "
        "label_smoothing)"}},
      {{{"zoo: mlp", "zoo:mlp"}},
       {"4:1: 'model' must be a section with keys (zoo, params, onnx, weights, freeze, loss, "
        "label_smoothing)"}},
      {{{"zoo: mlp", "zoo: @mlp"}},
       {"5:8: this is not valid YAML: unknown token"}},
      {{{"zoo: mlp", "zoo: !model mlp"}},
       {"5:8: YAML tags ('!model') have no meaning in a job file"}},
      {{{"zoo: mlp", "zoo: |\n    mlp"}},
       {"5:8: 'model.zoo' has a control character in it"}, true},
      {{{"zoo: mlp", "? zoo\n  : mlp\n  ? \n  : 3"}},
       {"8:3: a key must be a word, not a list, a mapping or nothing"}},
      {{{"name: mnist", "name: mn\x01ist"}},
       {"3:9: a control character is not allowed here"}},
      {{{"name: mnist", std::string("name: mn\0ist", 12)}},
       {"3:9: a control character is not allowed here"}},
      {{{"name: mnist", "name: mnist\rkind: train"}},
       {"3:12: a control character is not allowed here"}},
      {{{"name: mnist", "name: mnist # caf\xe9"}},
       {"3:18: the file is not valid UTF-8 here"}},
      {{{"name: mnist", "name: mnist\n...\nkind: train"}},
       {"5:1: a job file is one YAML document; this begins a second one"}},
  };
}

// One of each thing that a small file can make large.
std::string Bomb() {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string alias = absl::StrCat("*a", i - 1);
    absl::StrAppend(&text, "a", i, ": &a", i, " [",
                    absl::StrJoin(std::vector<std::string>(10, alias), ", "), "]\n");
  }
  return text;
}

std::string Repeated(absl::string_view piece, size_t bytes) {
  std::string text;
  while (text.size() + piece.size() <= bytes) absl::StrAppend(&text, piece);
  return text;
}

// As UTF-16 with its mark, which Windows' editors write when asked for Unicode.
std::string Utf16(const std::string& text) {
  std::string wide = "\xff\xfe";
  for (const char c : text) wide += {c, '\0'};
  return wide;
}

}  // namespace

std::vector<BadFile> BadFiles() {
  std::vector<BadFile> all;
  for (auto* family : {&Lengths, &Components, &Csv, &Training, &Running, &Yaml, &Numbers,
                       &Texts, &Sections, &Structure}) {
    for (BadFile& file : family()) all.push_back(std::move(file));
  }
  return all;
}

// Large and deep ones stay just under the limit of the file's size, where they hurt most.
std::vector<HostileFile> HostileFiles() {
  constexpr size_t kMost = 1 << 20;
  return {
      {"a bomb of aliases", Bomb(),
       "4:5: the file has more than 20000 values, aliases resolved; a job file has some "
       "hundred"},
      {"a mapping within itself", "model: &m {zoo: mlp, params: *m}\n",
       "1:30: this alias stands inside what it stands for: a cycle"},
      {"a list within itself", "labels: &l [*l]\n",
       "1:13: this alias stands inside what it stands for: a cycle"},
      {"over a mebibyte", std::string(kMost + 1, '#'),
       "1:1: the file has 1048577 bytes; a job file has at most 1048576"},
      {"a mebibyte of one word", std::string(kMost, 'a'),
       "1:1: a job file is a list of keys with values; it begins with 'apiVersion: "
       "ringmaster/v1'"},
      {"a mebibyte of comment", "#" + std::string(kMost - 1, 'a'),
       "1:1: the file is empty; it begins with 'apiVersion: ringmaster/v1'"},
      {"a mebibyte of nothing", std::string(kMost, '\n'),
       "1:1: the file is empty; it begins with 'apiVersion: ringmaster/v1'"},
      {"a mebibyte of brackets", std::string(kMost, '['),
       "1:17: values are nested more than 32 deep"},
      {"a mebibyte of braces", std::string(kMost, '{'),
       "1:32: values are nested more than 32 deep"},
      {"a mebibyte of dashes", Repeated("- ", kMost),
       "1:65: values are nested more than 32 deep"},
      {"a mebibyte of keys without values", Repeated("? ", kMost),
       "1:65: values are nested more than 32 deep"},
      {"a mebibyte of colons", Repeated(": ", kMost),
       "1:1: a key must be a word, not a list, a mapping or nothing"},
      {"a mebibyte of anchors", Repeated("&a ", kMost),
       "1:4: this is not valid YAML: cannot assign multiple anchors to the same node"},
      {"a mebibyte of one key", Repeated("a: b\n", kMost),
       "2:1: key 'a' is given twice"},
      {"a mebibyte of merges", "a: &a {b: c}\n" + Repeated("<<: *a\n", kMost - 16),
       "5000:5: the file has more than 20000 values, aliases resolved; a job file has some "
       "hundred"},
      {"a mebibyte of aliases", "a: &a [b]\nc: [" + Repeated("*a, ", kMost - 32) + "]\n",
       "1:4: the file has more than 20000 values, aliases resolved; a job file has some "
       "hundred"},
      {"a mebibyte in a quote", "name: \"" + std::string(kMost - 8, 'a'),
       "1:1: this is not valid YAML: a quote is opened here or soon after, and never closed"},
      {"a mebibyte of quotes", Repeated("'", kMost),
       "1:1: a job file is a list of keys with values; it begins with 'apiVersion: "
       "ringmaster/v1'"},
      {"a mebibyte of tags", Repeated("! ", kMost),
       "1:3: this is not valid YAML: cannot assign multiple tags to the same node"},
      {"a mebibyte of document marks", Repeated("---\n", kMost),
       "2:1: a job file is one YAML document; this begins a second one"},
      {"a mebibyte of directives", Repeated("%YAML 1.2\n", kMost),
       "2:1: this is not valid YAML: repeated YAML directive"},
      {"a mebibyte of ever deeper indentation", Repeated("a:\n ", kMost),
       "3:2: key 'a' is given twice"},
      {"zero bytes", std::string(4096, '\0'),
       "1:1: a control character is not allowed here"},
      {"UTF-16", Utf16(SmallJob()),
       "1:1: the file is not valid UTF-8 here"},
      {"overlong UTF-8", "name: \xc0\xaf\n",
       "1:7: the file is not valid UTF-8 here"},
      {"half a surrogate pair", "name: \xed\xa0\x80\n",
       "1:7: the file is not valid UTF-8 here"},
      {"nothing", "",
       "1:1: the file is empty; it begins with 'apiVersion: ringmaster/v1'"},
      {"only comments", "# a\n  # b\n\n#c",
       "1:1: the file is empty; it begins with 'apiVersion: ringmaster/v1'"},
      {"only the mark of a document", "---\n",
       "1:1: the file is empty; it begins with 'apiVersion: ringmaster/v1'"},
      {"only null", "~\n",
       "1:1: the file is empty; it begins with 'apiVersion: ringmaster/v1'"},
      {"a list at the top", "- apiVersion: ringmaster/v1\n- kind: train\n",
       "1:1: a job file is a list of keys with values; it begins with 'apiVersion: "
       "ringmaster/v1'"},
      {"a word at the top", "train",
       "1:1: a job file is a list of keys with values; it begins with 'apiVersion: "
       "ringmaster/v1'"},
      {"a number at the top", "17\n",
       "1:1: a job file is a list of keys with values; it begins with 'apiVersion: "
       "ringmaster/v1'"},
      {"JSON of another kind", "[{\"job\": 1}]",
       "1:1: a job file is a list of keys with values; it begins with 'apiVersion: "
       "ringmaster/v1'"},
      {"a shell script", "#!/bin/sh\nset -e\necho hello\n",
       "1:1: a job file is a list of keys with values; it begins with 'apiVersion: "
       "ringmaster/v1'"},
      {"an ELF file", std::string("\x7f" "ELF\x02\x01\x01\0\0\0", 10),
       "1:1: a control character is not allowed here"},
  };
}

}  // namespace rm::jobspec
