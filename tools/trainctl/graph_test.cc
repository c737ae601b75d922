#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "base/file_system.h"
#include "base/json.h"
#include "base/temporary_folder.h"
#include "runtime/onnx/model_file.h"
#include "runtime/onnx/testing.h"
#include "tools/trainctl/testing.h"

namespace rm::trainctl {
namespace {

using absl::StrContains;
using base::Json;

// A model in a file of its own.
class ModelFile {
 public:
  explicit ModelFile(const onnx::ModelBuilder& model) : path_(folder_.File("model.onnx")) {
    REQUIRE(onnx::WriteModel(model.proto(), path_, base::PosixFileSystem()) == absl::OkStatus());
  }
  const std::string& path() const { return path_; }

 private:
  base::TemporaryFolder folder_;
  std::string path_;
};

Json Described(std::vector<std::string> words) {
  words.insert(words.begin(), "graph");
  words.insert(words.end(), {"-o", "json"});
  const Ran ran = Trainctl(words);
  CAPTURE(ran.err);
  REQUIRE(ran.code == 0);
  return Json::Parse(ran.out).value();
}

TEST_CASE("a model of the zoo is shown with parameters, nodes and kernels") {
  const Json all = Described({"zoo:mlp", "--batch", "8"});
  CHECK(all.Find("batch")->int_or(0) == 8);
  REQUIRE(all.Find("inputs")->array().size() == 1);
  CHECK(all.Find("inputs")->array()[0].Find("shape")->Dump() == "[8,1,28,28]");
  CHECK(all.Find("parameters")->array().size() == 6);
  CHECK(all.Find("parameters")->array()[0].Find("name")->string_or("") == "fc1.weight");
  const int64_t elements = 784 * 512 + 512 + 512 * 256 + 256 + 256 * 10 + 10;
  CHECK(all.Find("parameter_elements")->int_or(0) == elements);
  CHECK(all.Find("flops")->int_or(0) >= 2 * 8 * (784 * 512 + 512 * 256 + 256 * 10));
  CHECK(all.Find("arena_bytes")->int_or(0) > 0);
  for (const Json& node : all.Find("nodes")->array()) {
    CHECK_FALSE(node.Find("kernel")->string_or("").empty());
  }
  const Json& training = *all.Find("training");
  CHECK(training.Find("loss")->string_or("") == "softmax_cross_entropy");
  CHECK(training.Find("arena_bytes")->int_or(0) > all.Find("arena_bytes")->int_or(0));
  CHECK(training.Find("flops")->int_or(0) > 2 * all.Find("flops")->int_or(0));
}

TEST_CASE("with --precision bf16 the nodes say their types, on any machine") {
  const Json all = Described({"zoo:mlp", "--batch", "8", "--precision", "bf16"});
  CHECK(all.Find("precision")->string_or("") == "bf16");
  int casts = 0;
  int products = 0;
  for (const Json& node : all.Find("nodes")->array()) {
    const std::string op = node.Find("op")->string_or("");
    casts += StrContains(op, "Cast(") ? 1 : 0;
    products += StrContains(op, "Gemm(bfloat16 [8, ") ? 1 : 0;
  }
  CHECK(products == 3);
  CHECK(casts == 6);  // three weights, and what the products read
  CHECK(all.Find("outputs")->array()[0].Find("dtype")->string_or("") == "float32");
  CHECK(Described({"zoo:mlp"}).Find("precision")->string_or("") == "fp32");
  CHECK(Trainctl({"graph", "zoo:mlp", "--precision", "fp16"}).code == 2);
}

TEST_CASE("an ONNX file is shown for people, and by names") {
  const ModelFile file(onnx::LinearModel());
  const Ran ran = Trainctl({"graph", file.path(), "--batch", "2"});
  CHECK(ran.code == 0);
  CHECK(ran.err.empty());
  CHECK(StrContains(ran.out, "fc.weight"));
  CHECK(StrContains(ran.out, "float32 [3,4]"));
  CHECK(StrContains(ran.out, "parameters: 2 tensors, 15 elements"));
  CHECK(StrContains(ran.out, "forward, batch 2: 1 nodes"));
  CHECK(StrContains(ran.out, "training step with softmax_cross_entropy: "));
  CHECK(Trainctl({"graph", file.path(), "-o", "name"}).out == "fc.weight\nfc.bias\n");
}

TEST_CASE("what an export has lost is warned about on standard error") {
  onnx::ModelBuilder model;
  model.Input("x", {"batch", "4"})
      .Weights("val_0", {4, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
      .Node("MatMul", {"x", "val_0"}, {"y"})
      .Output("y");
  const ModelFile file(model);
  const Ran ran = Trainctl({"graph", file.path()});
  CHECK(ran.code == 0);
  CHECK(StrContains(ran.err, "warning: 1 of 1 parameters have no name of their own"));
  CHECK(StrContains(ran.err, "optimize=False"));
  CHECK(Described({file.path()}).Find("warnings")->array().size() == 2);
}

// The sum of a number over all nodes.
int64_t Sum(const Json& all, const char* key) {
  int64_t sum = 0;
  for (const Json& node : all.Find("nodes")->array()) sum += node.Find(key)->int_or(0);
  return sum;
}

TEST_CASE("each node says its operations, those of fused ones included") {
  const Json forward = Described({"zoo:mlp", "--batch", "8"});
  CHECK(forward.Find("listed")->string_or("") == "forward");
  CHECK(Sum(forward, "flops") == forward.Find("flops")->int_or(0));
  // Three products, and two activations that run inside of them.
  const int64_t products = 2 * (784 * 512 + 512 * 256 + 256 * 10);
  CHECK(Sum(forward, "flops") == 8 * (products + 512 + 256));
  CHECK(Sum(forward, "bytes") > 4 * (784 * 512 + 512 * 256 + 256 * 10));
  const Json training = Described({"zoo:mlp", "--batch", "8", "--training"});
  CHECK(training.Find("listed")->string_or("") == "training");
  CHECK(Sum(training, "flops") == training.Find("training")->Find("flops")->int_or(0));
  CHECK(static_cast<int64_t>(training.Find("nodes")->array().size()) ==
        training.Find("training")->Find("nodes")->int_or(0));
  CHECK(training.Find("flops")->int_or(0) == forward.Find("flops")->int_or(0));
}

TEST_CASE("measured, each node has its time beside its bound, for people and for programs") {
  const ModelFile file(onnx::LinearModel());
  const Json all = Described({file.path(), "--batch", "4", "--measure", "--training"});
  const Json* measured = all.Find("measured");
  REQUIRE(measured != nullptr);
  double us = 0;
  for (const Json& node : all.Find("nodes")->array()) us += node.Find("us")->number_or(-1);
  CHECK(us == Approx(measured->Find("us")->number_or(0)));
  CHECK(us > 0);
  CHECK(measured->Find("bound_us")->number_or(0) > 0);
  CHECK(measured->Find("step_us")->number_or(0) > 0);
  CHECK(measured->Find("runs")->int_or(0) >= 5);
  CHECK(measured->Find("gflop_per_s")->number_or(0) > 0);
  CHECK(measured->Find("bandwidth")->array().size() == 7);
  const Ran ran = Trainctl({"graph", file.path(), "--measure"});
  CHECK(ran.code == 0);
  for (const char* part : {"  US  ", "BOUND/US", "measured, forward: ", "GFLOP/s", "128 MiB at "}) {
    CAPTURE(part, ran.out);
    CHECK(StrContains(ran.out, part));
  }
}

TEST_CASE("a model that cannot be trained as it is says why, and is shown all the same") {
  onnx::ModelBuilder model;
  model.Input("x", {"batch", "4"}).Node("IsNaN", {"x"}, {"y"}).Output("y");
  const ModelFile file(model);
  const Ran ran = Trainctl({"graph", file.path()});
  CHECK(ran.code == 0);
  CHECK(StrContains(ran.out, "training: not with softmax_cross_entropy: "));
  const Ran training = Trainctl({"graph", file.path(), "--training"});
  CHECK(training.code != 0);
  CHECK(training.out.empty());
  const Json all = Described({file.path()});
  CHECK(StrContains(training.err, all.Find("training")->Find("problem")->string_or("none")));
}

TEST_CASE("what cannot be read or run is refused with the reason") {
  CHECK(Trainctl({"graph"}).code == 2);
  const Ran missing = Trainctl({"graph", "/nowhere/model.onnx"});
  CHECK(missing.code != 0);
  CHECK(StrContains(missing.err, "/nowhere/model.onnx"));
  const Ran zoo = Trainctl({"graph", "zoo:mpl"});
  CHECK(zoo.code == 2);
  CHECK(StrContains(zoo.err, "mlp"));
  onnx::ModelBuilder model;
  model.Input("x", {"batch"}).Node("NonZero", {"x"}, {"y"}).Node("Unique", {"y"}, {"z"}).Output("z");
  const ModelFile file(model);
  const Ran unknown = Trainctl({"graph", file.path()});
  CHECK(unknown.code == 2);
  CHECK(StrContains(unknown.err, "NonZero (node 'y'), Unique (node 'z')"));
  CHECK(Trainctl({"graph", "zoo:mlp", "--batch", "0"}).code == 2);
}

}  // namespace
}  // namespace rm::trainctl
