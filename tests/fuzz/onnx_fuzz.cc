// ONNX models: whatever is in a file, it is imported and bound, or refused with a reason.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "base/check.h"
#include "base/memory_file_system.h"
#include "runtime/data/testing.h"
#include "runtime/graph/bind.h"
#include "runtime/graph/types.h"
#include "runtime/onnx/import.h"
#include "runtime/onnx/testing.h"
#include "tests/fuzz/fuzz_target.h"

namespace rm::fuzz {
namespace {

// Constants that binding may make: less than the memory a case may take.
constexpr int64_t kFoldedBytesMax = int64_t{1} << 20;

// A convolution, a pool and the shape arithmetic that exporters write around a reshape.
onnx::ModelBuilder Images() {
  onnx::ModelBuilder model;
  model.Input("x", {"batch", "1", "6", "6"})
      .Weight("conv.weight", {2, 1, 3, 3}, 0.5F)
      .Weight("conv.bias", {2}, 0.25F)
      .Integers("shape", {0, -1})
      .Node("Conv", {"x", "conv.weight", "conv.bias"}, {"a"})
      .Ints("pads", {1, 1, 1, 1})
      .Node("Relu", {"a"}, {"b"})
      .Node("MaxPool", {"b"}, {"c"})
      .Ints("kernel_shape", {2, 2})
      .Ints("strides", {2, 2})
      .Node("Reshape", {"c", "shape"}, {"d"})
      .Node("Shape", {"d"}, {"e"})
      .Node("Reshape", {"d", "e"}, {"y"})
      .Output("y");
  return model;
}

// Constants in attributes, an alias, and a sum over axes.
onnx::ModelBuilder Rows() {
  onnx::ModelBuilder model;
  model.Input("x", {"batch", "4"})
      .Weights("w", {4}, {1, 2, 3, 4})
      .Integers("axes", {-1})
      .Node("Identity", {"w"}, {"v"})
      .Node("Add", {"x", "w"}, {"a"})
      .Node("Add", {"a", "v"}, {"b"})
      .Node("ReduceSum", {"b", "axes"}, {"c"})
      .Int("keepdims", 0)
      .Node("Constant", {}, {"d"})
      .Ints("value_ints", {1})
      .Node("Unsqueeze", {"c", "d"}, {"y"})
      .Output("y");
  return model;
}

// Operators that become several nodes when they are bound.
onnx::ModelBuilder Composed() {
  onnx::ModelBuilder model;
  model.Input("x", {"batch", "2", "4", "4"})
      .Weight("up", {2, 1, 2, 2}, 0.5F)
      .Weights("scales", {4}, {1, 1, 2, 1.5F})
      .Weight("norm", {2}, 1)
      .Weight("w", {1, 3, 4}, 0.5F)
      .Weight("r", {1, 3, 1}, 0.5F)
      .Node("ConvTranspose", {"x", "up"}, {"a"})
      .Ints("strides", {2, 2})
      .Int("group", 2)
      .Node("Resize", {"a", "", "scales"}, {"b"})
      .String("mode", "linear")
      .Node("InstanceNormalization", {"b", "norm", "norm"}, {"c"})
      .Node("Resize", {"c", "", "", "sizes"}, {"d"})
      .Integers("sizes", {2, 2, 3, 4})
      .Node("Einsum", {"d", "d"}, {"e"})
      .String("equation", "bchw,bcvw->chv")
      .Integers("rows", {6, 1, 3})
      .Node("Reshape", {"e", "rows"}, {"f"})
      .Integers("pads", {0, 0, 1, 0, 0, 0})
      .Node("Pad", {"f", "pads"}, {"g"})
      .String("mode", "reflect")
      .Node("GRU", {"g", "w", "r"}, {"h"})
      .Node("CumSum", {"h", "axis"}, {"i"})
      .Integers("axis", {0})
      .Node("ReduceProd", {"i"}, {"y"})
      .Output("y");
  return model;
}

}  // namespace

TargetOptions Options() {
  TargetOptions options;
  options.cases = 30'000;
  options.input_bytes_max = 2048;
  options.live_bytes_max = size_t{24} << 20;
  return options;
}

std::vector<std::string> Seeds() {
  return {onnx::LinearModel().proto().SerializeAsString(), Images().proto().SerializeAsString(),
          Rows().proto().SerializeAsString(), Composed().proto().SerializeAsString()};
}

std::vector<std::string> Words() {
  return {"Einsum",  "GRU",     "RNN",   "Resize", "sizes", "ij,jk", "b->b",  "OneHot",  "edge",
          "mode",    "ceil_mode", "DepthToSpace", "blocksize", "output_shape", "output_padding",
          "Reshape", "Expand",  "Slice", "Range", "Tile",  "Pad",   "Concat", "Gather", "Squeeze",
          "Shape",   "MatMul",  "Cast",  "to",    "axis",  "axes",  "shape",  "split",  "group",
          "pads",    "strides", "batch", "x",     "y",     "w",     "a",      "b",      "auto_pad",
          "\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"};
}

}  // namespace rm::fuzz

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  rm::base::MemoryFileSystem files;
  rm::data::WriteFile(files, "/d/x.onnx", rm::fuzz::TextOf(data, size));
  const auto model = rm::onnx::ImportModel(files, "/d/x.onnx");
  if (!model.ok()) {
    RM_CHECK(absl::StrContains(model.status().message(), "/d/x.onnx"), "which file? ",
             model.status().message());
    return 0;
  }
  const auto bound = rm::graph::BindBatch(model->graph, 2, rm::fuzz::kFoldedBytesMax);
  if (!bound.ok()) {
    RM_CHECK(!bound.status().message().empty(), "refused without a reason");
    return 0;
  }
  rm::fuzz::Accepted();
  // What is bound has types, and is bound already.
  const auto types = rm::graph::InferTypes(*bound, 2);
  RM_CHECK(types.ok(), types.status().message());
  const auto again = rm::graph::BindBatch(*bound, 2, rm::fuzz::kFoldedBytesMax);
  RM_CHECK(again.ok(), again.status().message());
  RM_CHECK(again->nodes().size() == bound->nodes().size(), "binding again made other nodes");
  return 0;
}
