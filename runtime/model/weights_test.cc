#include "runtime/model/weights.h"

#include <catch2/catch.hpp>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/memory_file_system.h"
#include "runtime/tensorfile/safetensors.h"

namespace rm::model {
namespace {

constexpr char kPath[] = "/base.safetensors";

// A model of two parameters.
graph::Graph TwoParameters() {
  graph::Graph graph;
  graph.AddInput("input", kernels::DType::kFloat32, {graph::kBatch, 3});
  graph.AddParameter("fc.weight", {2, 3}, {});
  graph.AddParameter("fc.bias", {2}, {});
  return graph;
}

// A tensor of a file, with its bytes.
struct Tensor {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  std::string bytes;
};

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

Tensor Floats(const std::string& name, const std::vector<int64_t>& shape,
              const std::vector<float>& values) {
  return {name, "F32", shape, BytesOf(values)};
}

void Write(base::FileSystem& files, const std::vector<Tensor>& tensors) {
  std::vector<tensorfile::TensorData> data;
  for (const Tensor& tensor : tensors) {
    data.push_back(
        {tensor.name, tensor.dtype, tensor.shape, tensor.bytes.data(), tensor.bytes.size()});
  }
  auto file = files.Create(kPath);
  RM_CHECK(file.ok());
  RM_CHECK(tensorfile::WriteSafetensors(data, {}, **file).ok());
}

std::vector<float> FirstValues(const graph::Graph& graph, const std::string& name) {
  const graph::Value& value = graph.value(graph.FindValue(name));
  size_t elements = 1;
  for (const int64_t size : value.shape) elements *= static_cast<size_t>(size);
  std::vector<float> values(elements);
  graph::InitializeParameter(value, /*seed=*/1, absl::MakeSpan(values));
  return values;
}

TEST_CASE("tensors of the file become the first values, by name and in any order") {
  base::MemoryFileSystem files;
  Write(files, {Floats("fc.bias", {2}, {7, 8}), Floats("fc.weight", {2, 3}, {1, 2, 3, 4, 5, 6})});
  graph::Graph graph = TwoParameters();
  REQUIRE(CheckWeights(graph, files, kPath).ok());
  REQUIRE(LoadWeights(files, kPath, &graph).ok());
  CHECK(FirstValues(graph, "fc.weight") == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(FirstValues(graph, "fc.bias") == std::vector<float>{7, 8});
}

TEST_CASE("whatever does not fit is named in one error, and the model stays as it was") {
  struct Case {
    const char* description;
    std::vector<Tensor> tensors;
    std::vector<std::string> says;
  };
  const Tensor weight = Floats("fc.weight", {2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor bias = Floats("fc.bias", {2}, {7, 8});
  const std::vector<Case> cases = {
      {"one is missing", {weight}, {"'fc.bias' is missing"}},
      {"one too many",
       {weight, bias, Floats("head.weight", {1}, {0})},
       {"'head.weight' is not a parameter of the model"}},
      {"the name of an input is no parameter",
       {weight, bias, Floats("input", {1}, {0})},
       {"'input' is not a parameter of the model"}},
      {"another shape",
       {weight, Floats("fc.bias", {1, 2}, {7, 8})},
       {"'fc.bias' is F32 [1, 2] there, the model's is [2]"}},
      {"another rank of the same size",
       {Floats("fc.weight", {6}, {1, 2, 3, 4, 5, 6}), bias},
       {"'fc.weight' is F32 [6] there, the model's is [2, 3]"}},
      {"whole numbers",
       {weight, {"fc.bias", "I32", {2}, BytesOf<int32_t>({7, 8})}},
       {"'fc.bias' is I32 [2] there, the model's is [2] of F32, F64, F16 or BF16"}},
      {"all at once",
       {Floats("fc.weight", {3, 2}, {1, 2, 3, 4, 5, 6}), Floats("extra", {1}, {0})},
       {"'fc.weight' is F32 [3, 2] there", "'fc.bias' is missing", "'extra' is not a parameter"}},
  };
  for (const Case& c : cases) {
    INFO(c.description);
    base::MemoryFileSystem files;
    Write(files, c.tensors);
    graph::Graph graph = TwoParameters();
    const absl::Status checked = CheckWeights(graph, files, kPath);
    CHECK(absl::IsInvalidArgument(checked));
    for (const std::string& text : c.says) {
      CHECK_THAT(std::string(checked.message()), Catch::Contains(text));
    }
    CHECK_THAT(std::string(checked.message()),
               Catch::StartsWith("/base.safetensors does not fit the model: "));
    CHECK(LoadWeights(files, kPath, &graph) == checked);
    CHECK(FirstValues(graph, "fc.weight") == std::vector<float>(6, 0.0F));
  }
}

TEST_CASE("a file of quite another model gives an error of bounded length") {
  base::MemoryFileSystem files;
  std::vector<Tensor> tensors;
  for (int i = 0; i < 500; ++i) tensors.push_back(Floats(absl::StrCat("t", i), {1}, {0}));
  Write(files, tensors);
  const absl::Status checked = CheckWeights(TwoParameters(), files, kPath);
  CHECK_THAT(std::string(checked.message()),
             Catch::EndsWith(absl::StrCat("; and ", 502 - kWeightProblemsMax, " more")));
}

TEST_CASE("narrow and wide floating-point types become float32") {
  base::MemoryFileSystem files;
  graph::Graph graph = TwoParameters();
  const Tensor bias = Floats("fc.bias", {2}, {7, 8});
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  SECTION("F64") {
    Write(files, {{"fc.weight", "F64", {2, 3}, BytesOf<double>({1, -2, 0.5, 1e-3, 1e30, 0})}, bias});
    REQUIRE(LoadWeights(files, kPath, &graph).ok());
    CHECK(FirstValues(graph, "fc.weight") == std::vector<float>{1, -2, 0.5, 1e-3F, 1e30F, 0});
  }
  SECTION("BF16") {
    Write(files, {{"fc.weight", "BF16", {2, 3},
                   BytesOf<uint16_t>({0x3F80, 0xC000, 0x3F00, 0x0000, 0x7F80, 0x4049})},
                  bias});
    REQUIRE(LoadWeights(files, kPath, &graph).ok());
    CHECK(FirstValues(graph, "fc.weight") ==
          std::vector<float>{1, -2, 0.5, 0, kInfinity, 3.140625});
  }
  SECTION("F16, with its largest, least normal and least subnormal numbers") {
    Write(files, {{"fc.weight", "F16", {2, 3},
                   BytesOf<uint16_t>({0x3C00, 0xC000, 0x7BFF, 0x0400, 0x8001, 0xFC00})},
                  bias});
    REQUIRE(LoadWeights(files, kPath, &graph).ok());
    CHECK(FirstValues(graph, "fc.weight") ==
          std::vector<float>{1, -2, 65504, 0x1p-14F, -0x1p-24F, -kInfinity});
  }
}

TEST_CASE("a file that is not there, or is no safetensors file, is said so") {
  base::MemoryFileSystem files;
  graph::Graph graph = TwoParameters();
  CHECK(absl::IsNotFound(CheckWeights(graph, files, kPath)));
  REQUIRE(base::WriteFileAtomically(files, kPath, "no header").ok());
  const absl::Status damaged = LoadWeights(files, kPath, &graph);
  CHECK(absl::IsDataLoss(damaged));
  CHECK_THAT(std::string(damaged.message()), Catch::Contains(kPath));
}

}  // namespace
}  // namespace rm::model
