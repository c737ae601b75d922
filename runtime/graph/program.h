// A graph compiled for one batch size: kernels chosen and made, layouts settled, one arena planned.
//
//   RM_ASSIGN_OR_RETURN(auto program, Program::Compile(graph, {batch, CpuKernels(), {threads}}));
//   for each p: program->BindParameter(p, weights + …, gradients + …);
//   for each b: program->BindBuffer(b, buffers + …);
//   each step:  fill InputMemory("input"); Forward(); Backward(on_gradient_ready);
//
// Passes in order: types (shape inference) → fusion → dead nodes → order of the backward pass →
// precision → layouts and kernels → storage (liveness, in place where legal, views without copy) → memory plan
// (one arena). Nothing is allocated in Forward and Backward.
#ifndef RM_RUNTIME_GRAPH_PROGRAM_H_
#define RM_RUNTIME_GRAPH_PROGRAM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "kernels/api/kernel.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/precision.h"

namespace rm::graph {

struct CompileOptions {
  int64_t batch = 1;
  kernels::KernelTable kernels;
  kernels::KernelOptions kernel_options;
  // Of what is computed between parameters and their gradients, which are float32 always.
  Precision precision = Precision::kFloat32;
  bool training = true;         // false: backward nodes are dropped and memory is reused at once
  bool fuse = true;             // false only in tests, to compare
  bool blocked_layouts = true;  // false only in tests, to compare
  bool reuse_memory = true;     // false only in tests: every value has memory of its own
};

// One trained tensor of a program.
struct ParameterInfo {
  std::string name;
  kernels::Shape shape;
  int64_t elements = 0;
};

// One tensor of a program that is replicated and not trained: running statistics, frozen parameters.
struct BufferInfo {
  std::string name;
  kernels::Shape shape;
  int64_t elements = 0;
  bool updated = false;  // a statistic of the forward pass moves it; in training only
  float momentum = 0;    // share of the new value
};

// What one node costs and how it runs; for `trainctl graph` and tests.
struct NodeReport {
  std::string node;
  std::string instance;  // op with types
  std::string kernel;    // name of the table entry; "view": no kernel, the output is the input
  bool backward = false;
  int64_t flops = 0;  // as runtime/graph/flops.h counts them, after fusion
  int64_t bytes = 0;  // read and written at least; 0 for a view
  // Since MeasureNodes(true).
  int64_t runs = 0;
  absl::Duration time;
};

// Thread-compatible: one caller at a time.
class Program {
 public:
  virtual ~Program() = default;

  // InvalidArgument with every missing op (each with its node) when the table lacks some; shapes
  // that do not fit name the node. `graph` is copied.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<Program>> Compile(
      const Graph& graph, const CompileOptions& options);

  // Parameters in the graph's order.
  [[nodiscard]] virtual absl::Span<const ParameterInfo> parameters() const = 0;
  // Parameter indices in the order in which Backward finishes their gradients. Empty without
  // training.
  [[nodiscard]] virtual absl::Span<const int> gradient_order() const = 0;

  // Where parameter `index` and its gradient live: plain row-major, 64-byte aligned, owned by the
  // caller. Gradients are overwritten by each Backward (with zeros where the loss does not depend
  // on the parameter). `gradient` may be nullptr without training.
  virtual void BindParameter(int index, const float* value, float* gradient) = 0;

  // Buffers in the graph's order.
  [[nodiscard]] virtual absl::Span<const BufferInfo> buffers() const = 0;
  // Where buffer `index` lives: as a parameter's value. The program reads it and never writes it.
  virtual void BindBuffer(int index, const float* value) = 0;

  // The program's own memory is allocated by the first of the following calls that needs it, not by
  // Compile: ResourceExhausted when there is none.

  // Memory of an input, to be filled before Forward: kPlain, bytes as InputType says. Valid as long
  // as the program; never written by it. NotFound lists the inputs there are.
  [[nodiscard]] virtual absl::StatusOr<void*> InputMemory(absl::string_view name) = 0;
  [[nodiscard]] virtual absl::StatusOr<kernels::TensorType> InputType(
      absl::string_view name) const = 0;
  // Memory of an output after Forward, kPlain; valid until the next Forward. NotFound lists the
  // outputs there are.
  [[nodiscard]] virtual absl::StatusOr<const void*> OutputMemory(absl::string_view name) const = 0;
  [[nodiscard]] virtual absl::StatusOr<kernels::TensorType> OutputType(
      absl::string_view name) const = 0;

  // Memory of the statistic that buffer `index` follows, kPlain and of the buffer's size: what this
  // rank's batch says, from Forward to the next Forward. REQUIRES: buffers()[index].updated.
  [[nodiscard]] virtual absl::StatusOr<const float*> StatisticMemory(int index) const = 0;

  // REQUIRES: every parameter and buffer is bound. A kernel's error names its node.
  [[nodiscard]] virtual absl::Status Forward() = 0;
  // Calls on_gradient_ready(parameter index) once for each parameter, as soon as its gradient is
  // final: from then on the program neither reads nor writes that memory until the next Backward.
  // REQUIRES: Forward was called; training.
  [[nodiscard]] virtual absl::Status Backward(absl::FunctionRef<void(int)> on_gradient_ready) = 0;

  // As it was compiled for.
  [[nodiscard]] virtual Precision precision() const = 0;
  // Bytes of the arena: inputs, activations, intermediate gradients and scratch.
  [[nodiscard]] virtual int64_t arena_bytes() const = 0;
  [[nodiscard]] virtual std::vector<NodeReport> Report() const = 0;
  // Switches the timing of single nodes on (from zero) or off. Costs two clock reads a node.
  virtual void MeasureNodes(bool on) = 0;
};

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_PROGRAM_H_
