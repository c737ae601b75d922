// The lines that other people's scripts read.

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/temporary_folder.h"
#include "runtime/onnx/model_file.h"
#include "runtime/onnx/testing.h"
#include "runtime/tensorfile/safetensors.h"
#include "tests/integration/test_cluster.h"

namespace rm::integration {
namespace {

// `trainctl bench <arguments>`; no cluster is needed.
Outcome Bench(const std::string& arguments) {
  const base::TemporaryFolder folder;
  return RunShell("tools/ringmaster/ringmaster trainctl bench " + arguments, folder.path());
}

std::vector<base::Json> Lines(const Outcome& outcome) {
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  std::vector<base::Json> lines;
  for (const absl::string_view line : absl::StrSplit(outcome.out, '\n', absl::SkipEmpty())) {
    const auto parsed = base::Json::Parse(line);
    REQUIRE(parsed.ok());
    lines.push_back(*parsed);
  }
  return lines;
}

double Value(const base::Json& line, const std::string& key) {
  const base::Json* value = line.Find(key);
  CAPTURE(key);
  REQUIRE(value != nullptr);
  return value->number_or(-1);
}

TEST_CASE("bench train prints every field, and the same weights for the same run") {
  const std::string flags = "train --model mlp --ranks 2 --global-batch 10 --steps 6 -o json";
  const std::vector<base::Json> first = Lines(Bench(flags));
  REQUIRE(first.size() == 1);
  const base::Json& line = first[0];
  for (const char* key : {"bench", "model", "transport", "weights_sha256", "machine", "date", "version"}) {
    CHECK(!Text(line, key).empty());
  }
  for (const char* key : {"ranks", "threads", "batch", "steps", "parameters", "samples_per_s", "first_loss",
                          "last_loss", "peak_rss_bytes"}) {
    CHECK(Value(line, key) > 0);
  }
  CHECK(Value(line, "parameters") == 535818);
  CHECK(Value(line, "batch") == 10);
  CHECK(Value(line, "last_loss") < Value(line, "first_loss"));
  CHECK(Value(line, "allreduce_wait_share") >= 0);
  CHECK(Value(line, "samples_per_s_min") <= Value(line, "samples_per_s"));
  CHECK(Text(Lines(Bench(flags))[0], "weights_sha256") == Text(line, "weights_sha256"));
}

TEST_CASE("each model is trained as the peers train it, unless asked otherwise") {
  struct Case {
    const char* flags;
    const char* optimizer;
    double lr;
  };
  const Case cases[] = {{"--model mlp", "SGD", 0.05},
                        {"--model gpt", "AdamW", 0.001},
                        {"--model mlp --optimizer AdamW", "AdamW", 0.001},
                        {"--model mlp --optimizer AdamW --lr 0.25", "AdamW", 0.25}};
  for (const Case& c : cases) {
    const base::Json line = Lines(Bench(
        absl::StrCat("train --ranks 1 --batch 2 --steps 1 -o json ", c.flags)))[0];
    CHECK(Text(line, "optimizer") == c.optimizer);
    CHECK(Value(line, "lr") == c.lr);
  }
}

TEST_CASE("the global batch decides the loss, not the number of ranks") {
  std::vector<base::Json> lines;
  for (const int ranks : {1, 2, 3}) {
    lines.push_back(Lines(Bench(absl::StrCat("train --model mlp --global-batch 11 --steps 6 -o json --ranks ",
                                             ranks)))[0]);
  }
  for (const base::Json& line : lines) {
    CHECK(Value(line, "first_loss") == Approx(Value(lines[0], "first_loss")).epsilon(1e-6));
    CHECK(Value(line, "last_loss") == Approx(Value(lines[0], "last_loss")).epsilon(1e-3));
  }
}

// As the documentation has it: the raw bytes of all tensors, in the order of their names.
std::string HashOfFile(const std::string& path) {
  const auto file = tensorfile::SafetensorsFile::Open(base::PosixFileSystem(), path);
  REQUIRE(file.ok());
  std::vector<tensorfile::TensorInfo> tensors = (*file)->tensors();
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  base::Sha256 sum;
  for (const tensorfile::TensorInfo& tensor : tensors) {
    std::vector<char> bytes(tensor.bytes);
    REQUIRE((*file)->Read(tensor, bytes.data()).ok());
    sum.Update(bytes.data(), bytes.size());
  }
  return sum.HexDigest();
}

TEST_CASE("the hash can be computed again from the weights that are saved, buffers included") {
  const base::TemporaryFolder folder;
  for (const char* const model : {"mlp", "resnet18 --param height=8 --param width=8"}) {
    const std::string path = folder.File("weights.safetensors");
    const std::vector<base::Json> lines = Lines(Bench(absl::StrCat(
        "train --model ", model, " --ranks 2 --batch 4 --steps 1 -o json --save-weights ", path)));
    CHECK(Text(lines[0], "weights_sha256") == HashOfFile(path));
  }
}

TEST_CASE("exact mode: the same bits for any number of ranks and any transport, others for another seed") {
  const std::string flags = "train --model convnet --param dropout=0.25 --param height=8 --param width=8"
                            " --determinism exact --global-batch 16 --steps 7 -o json";
  const std::string one = Text(Lines(Bench(flags + " --ranks 1"))[0], "weights_sha256");
  for (const char* const more : {"--ranks 2 --transport grpc", "--ranks 2 --transport shm", "--ranks 3",
                                 "--ranks 5", "--ranks 8"}) {
    const base::Json line = Lines(Bench(absl::StrCat(flags, " ", more)))[0];
    CAPTURE(more, line.Dump());
    CHECK(Text(line, "weights_sha256") == one);
    CHECK(Value(line, "virtual_shards") == 8);
    CHECK(Value(line, "steps") == 7);
  }
  CHECK(Text(Lines(Bench(flags + " --ranks 2 --seed 2"))[0], "weights_sha256") != one);
}

TEST_CASE("bf16: the same bits for any number of ranks in exact mode, where the CPU multiplies it") {
  const std::string flags = "train --model convnet --param height=8 --param width=8 --determinism exact"
                            " --global-batch 16 --steps 3 -o json";
  const Outcome first = Bench(flags + " --precision bf16 --ranks 1");
  if (first.code != 0) {
    CHECK_THAT(first.err, Catch::Contains("--precision: bf16 needs a CPU that multiplies bfloat16"));
    WARN("skipped: " << first.err);
    return;
  }
  const base::Json line = Lines(first)[0];
  CHECK(Text(line, "precision") == "bf16");
  const std::string one = Text(line, "weights_sha256");
  CHECK(Text(Lines(Bench(flags + " --precision bf16 --ranks 3"))[0], "weights_sha256") == one);
  CHECK(Text(Lines(Bench(flags + " --ranks 1"))[0], "weights_sha256") != one);
}

TEST_CASE("bf16 is refused before a rank is started where the CPU lacks it") {
  const base::TemporaryFolder folder;
  const Outcome outcome =
      RunShell("RINGMASTER_ISA=3 tools/ringmaster/ringmaster trainctl bench train --precision bf16",
               folder.path());
  CHECK(outcome.code == 1);
  CHECK_THAT(outcome.err, Catch::Contains("avx512_bf16"));
  CHECK_THAT(outcome.err, Catch::Contains("use fp32, or machines that have it"));
}

TEST_CASE("bench allreduce prints a line a size") {
  const std::vector<base::Json> lines =
      Lines(Bench("allreduce --ranks 3 --sizes 4,1024,262144 -o json"));
  REQUIRE(lines.size() == 3);
  const double sizes[] = {4, 1024, 262144};
  for (size_t i = 0; i < 3; ++i) {
    CHECK(Value(lines[i], "bytes") == sizes[i]);
    CHECK(Value(lines[i], "ranks") == 3);
    CHECK(Value(lines[i], "us") > 0);
    CHECK(Value(lines[i], "busbw_GBps") > 0);
    CHECK(Value(lines[i], "repeats") >= 5);
    CHECK(Text(lines[i], "bench") == "allreduce");
  }
}

// features (batch, 6) · w + b: three classes; with rows of a table that are looked up and added, if asked for.
std::string WriteLinear(const std::string& path, bool second_input) {
  onnx::ModelBuilder model;
  model.Input("features", {"batch", "6"});
  if (second_input) model.Input("town", {"batch"}, ringmaster::onnx::TensorProto::INT32);
  model.Weight("fc.weight", {6, 3}, 0.1F).Weight("fc.bias", {3}, 0.0F);
  model.Node("MatMul", {"features", "fc.weight"}, {"product"});
  if (second_input) model.Weight("town.weight", {2, 3}, 0.2F).Node("Gather", {"town.weight", "town"}, {"places"});
  model.Node("Add", {"product", "fc.bias"}, {"sum"});
  model.Node("Add", {"sum", second_input ? "places" : "fc.bias"}, {"logits"}).Output("logits");
  CHECK(onnx::WriteModel(model.proto(), path, base::PosixFileSystem()) == absl::OkStatus());
  return absl::StrCat("train --steps 6 --batch 4 -o json --model ", path);
}

TEST_CASE("bench train measures a model from a file, on one rank and on two") {
  const base::TemporaryFolder folder;
  const std::string flags = WriteLinear(folder.File("linear.onnx"), /*second_input=*/false);
  for (const int ranks : {1, 2}) {
    const base::Json line = Lines(Bench(absl::StrCat(flags, " --ranks ", ranks)))[0];
    CHECK(Value(line, "parameters") == 21);
    CHECK(Value(line, "global_batch") == 4 * ranks);
    CHECK(Value(line, "last_loss") < Value(line, "first_loss"));
  }
}

TEST_CASE("bench train draws every input of a file, and indices that its tables have") {
  const base::TemporaryFolder folder;
  const base::Json line = Lines(Bench(WriteLinear(folder.File("two.onnx"), /*second_input=*/true)))[0];
  CHECK(Value(line, "parameters") == 27);
  CHECK(Value(line, "last_loss") < Value(line, "first_loss"));
}

TEST_CASE("bad flags are one clear line and exit code 2") {
  const struct {
    std::string arguments;
    std::string part;
  } cases[] = {
      {"", "which benchmark?"},
      {"trian", "did you mean 'train'?"},
      {"train --model mpl", "did you mean 'mlp'?"},
      {"train --batch 3 --global-batch 6", "not both"},
      {"train --ranks 4 --global-batch 3", "without a row"},
      {"train --param classes", "is not NAME=NUMBER"},
      {"train --param clases=3 --batch 2", "--param: unknown parameter of model 'mlp': 'clases'"},
      {"train --param hidden1=0.5", "--param: parameter 'hidden1' of model 'mlp' is 0.5"},
      {"train --lr -0.5", "--lr must be 0 or more"},
      {"train --virtual-shards 8", "goes with --determinism exact"},
      {"train --determinism exact --virtual-shards 12 --global-batch 24", "a power of two"},
      {"train --determinism exact --virtual-shards 4 --ranks 5 --global-batch 20", "power of two"},
      {"train --determinism exact --global-batch 12", "8 shards do not divide a global batch of 12"},
      {"train --determinism both", "--determinism"},
      {"train --transport pigeons", "--transport"},
      {"train --steps 0", "--steps"},
      {"train --seed -1", "--seed"},
      {"train --save-weights /nowhere/w.safetensors", "--save-weights: /nowhere"},
      {"train --save-weights /tmp", "--save-weights: /tmp is there already and no file"},
      {"train --precision fp16", "must be one of fp32, bf16"},
      {"allreduce --sizes 1023", "multiple of 4"},
      {"allreduce --sizes ,", "no size given"},
      {"allreduce --ranks 1", "from 2"},
  };
  for (const auto& c : cases) {
    const Outcome outcome = Bench(c.arguments);
    CAPTURE(c.arguments, outcome.err);
    CHECK(outcome.code == 2);
    CHECK(absl::StrContains(outcome.err, c.part));
  }
}

}  // namespace
}  // namespace rm::integration
