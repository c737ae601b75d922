// The model as a graph of ONNX operators.
//
// A Graph is built by the zoo or by an importer, extended by AttachLoss and Differentiate
// (runtime/graph/training.h), and compiled into a Program (runtime/graph/program.h) for one batch
// size. It holds what is to be computed and nothing about how: no layouts, no memory, no kernels.
//
// Invariants:
//   1. Nodes are in topological order: a node only reads values that exist before it.
//   2. A value is written by one node at most; kInput, kParameter, kBuffer and kConstant by none.
//   3. Names of values are unique, and so are names of nodes; a node and its first output share
//   one.
//   4. Nodes of the backward pass come after all nodes of the forward pass.
// Breaking one of them is a bug of the caller (CHECK); whether operands fit their operator is only
// seen by shape inference, which answers with a Status.
#ifndef RM_RUNTIME_GRAPH_GRAPH_H_
#define RM_RUNTIME_GRAPH_GRAPH_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "kernels/api/op.h"
#include "kernels/api/tensor.h"

namespace rm::graph {

// Index of a value in its graph; kNoValue stands for an absent optional operand.
using ValueId = int32_t;
inline constexpr ValueId kNoValue = -1;

// A first dimension that is only known when a batch size is bound.
inline constexpr int64_t kBatch = -1;

enum class ValueKind {
  kInput,      // written by the caller before each run
  kParameter,  // trained
  kBuffer,     // state that is not trained: running statistics, frozen parameters
  kConstant,   // never changes
  kNode,       // computed
};

// How a parameter gets its first value, or what a constant holds. Drawn values depend only on (seed,
// name, shape): the same at any world size and on any machine. Given values are shared by copies,
// and nobody changes them, so that copying a graph of gigabytes costs nothing.
struct Initializer {
  enum class Kind { kZero, kOne, kUniform, kNormal, kValues };
  Kind kind = Kind::kZero;
  float scale = 0;  // kUniform: U(−scale, scale); kNormal: standard deviation
  // kValues, plain row-major: float32 elements in `values`; those of every other dtype, each
  // widened to int64, in `integers`. The other one is nullptr.
  std::shared_ptr<const std::vector<float>> values;
  std::shared_ptr<const std::vector<int64_t>> integers;

  // kValues of these elements.
  [[nodiscard]] static Initializer Of(std::vector<float> values);
  [[nodiscard]] static Initializer OfIntegers(std::vector<int64_t> integers);
};

// A typed, shaped value.
struct Value {
  std::string name;
  ValueKind kind = ValueKind::kNode;
  kernels::DType dtype = kernels::DType::kFloat32;
  kernels::Shape shape;      // first dimension may be kBatch; empty for kNode: see InferTypes
  bool shape_known = false;  // false for kNode
  Initializer initializer;   // kParameter, kBuffer, kConstant
  // kNode: this value has the type of that one (a gradient has the type of what it belongs to).
  ValueId like = kNoValue;
};

// One operator of the graph. Operands by value id; kNoValue for an absent one.
struct Node {
  std::string name;  // unique, for messages
  std::string op;
  kernels::Attributes attributes;
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  bool backward = false;  // part of the backward pass
};

// How a buffer moves with training: after each micro-batch, buffer = (1 − momentum) · buffer +
// momentum · mean, the mean of `statistic` over all ranks, weighted by their samples. The graph only
// says so; whoever holds the memory does it (runtime/trainer/replica.h), because the mean is known
// when the ranks have been heard.
struct BufferUpdate {
  ValueId statistic = kNoValue;  // computed by the forward pass; of the buffer's shape
  float momentum = 0;            // share of the new value; in [0, 1]
};

// Value semantics, thread-compatible.
class Graph {
 public:
  // REQUIRES: the name is new; only the first dimension may be kBatch, for inputs alone.
  ValueId AddInput(absl::string_view name, kernels::DType dtype, kernels::Shape shape);
  ValueId AddParameter(absl::string_view name, kernels::Shape shape, Initializer initializer);
  // Replicated state that is read like a parameter and not trained. Without an update it never
  // changes.
  ValueId AddBuffer(absl::string_view name, kernels::Shape shape, Initializer initializer);
  // float32, plain row-major. REQUIRES: as many values as the shape has elements.
  ValueId AddConstant(absl::string_view name, kernels::Shape shape, std::vector<float> values);
  // Any dtype but float32; elements widened to int64, true is 1. REQUIRES: as above, and each
  // element fits the dtype.
  ValueId AddIntegerConstant(absl::string_view name, kernels::DType dtype, kernels::Shape shape,
                             std::vector<int64_t> integers);
  // A value of another graph that no node writes, with its kind, type and first value. A first
  // dimension kBatch stays. REQUIRES: not kNode; the name is new.
  ValueId AddLeaf(const Value& value);

  // Appends a node of the forward pass and returns the id of its only output, named after the node.
  ValueId AddNode(absl::string_view op, absl::string_view name, std::vector<ValueId> inputs,
                  kernels::Attributes attributes = {});
  // Appends a node with `outputs` outputs (named name, name:1, …).
  std::vector<ValueId> AddNodeWithOutputs(absl::string_view op, absl::string_view name,
                                          std::vector<ValueId> inputs, int outputs,
                                          kernels::Attributes attributes = {});
  // Appends a node of the backward pass; output i has the type of value likes[i], or the one that
  // shape inference finds where that is kNoValue. The name is made unique when it is taken.
  std::vector<ValueId> AddBackwardNode(absl::string_view op, absl::string_view name,
                                       std::vector<ValueId> inputs, std::vector<ValueId> likes,
                                       kernels::Attributes attributes = {});
  // Gives a node one more output and returns it. REQUIRES: node < nodes().size().
  ValueId AddOutput(size_t node);
  // A value of the type of `like` for a pass to write: no node has it as output yet. The name is
  // made unique when it is taken.
  ValueId AddDetachedValue(absl::string_view name, ValueId like);

  // `buffer` follows `statistic`; a second call replaces the first. REQUIRES: a buffer, the result of
  // a node, a momentum in [0, 1].
  void SetBufferUpdate(ValueId buffer, ValueId statistic, float momentum);
  // A buffer from here on, of the same name and first value: it is read and saved, and not trained.
  // REQUIRES: a parameter; no backward pass yet.
  void Freeze(ValueId parameter);

  // Marks a value as a result that callers read.
  void MarkOutput(absl::string_view name, ValueId value) { outputs_[std::string(name)] = value; }

  [[nodiscard]] const std::vector<Value>& values() const { return values_; }
  [[nodiscard]] const std::vector<Node>& nodes() const { return nodes_; }
  // For passes, which keep the invariants.
  [[nodiscard]] std::vector<Node>& mutable_nodes() { return nodes_; }
  [[nodiscard]] Value& mutable_value(ValueId id) { return values_[static_cast<size_t>(id)]; }
  [[nodiscard]] const Value& value(ValueId id) const { return values_[static_cast<size_t>(id)]; }
  [[nodiscard]] const std::map<std::string, ValueId>& outputs() const { return outputs_; }

  // kNoValue when there is none of that name.
  [[nodiscard]] ValueId FindOutput(absl::string_view name) const;
  [[nodiscard]] ValueId FindValue(absl::string_view name) const;
  // `name`, or what becomes of it with a number behind it, so that a node of so many outputs can
  // have it: the further outputs are called name:1, name:2, …
  [[nodiscard]] std::string FreeNodeName(absl::string_view name, size_t outputs) const;
  // Ids of kInput / kParameter / kBuffer values in order of addition.
  [[nodiscard]] std::vector<ValueId> inputs() const;
  [[nodiscard]] std::vector<ValueId> parameters() const;
  [[nodiscard]] std::vector<ValueId> buffers() const;
  // The buffers that move with training.
  [[nodiscard]] const std::map<ValueId, BufferUpdate>& buffer_updates() const {
    return buffer_updates_;
  }
  void ClearBufferUpdates() { buffer_updates_.clear(); }

  // The gradient of each differentiated value, filled by Differentiate().
  [[nodiscard]] const std::map<ValueId, ValueId>& gradients() const { return gradients_; }
  void SetGradient(ValueId of, ValueId gradient) { gradients_[of] = gradient; }
  void ClearGradients() { gradients_.clear(); }

  // A copy whose parameters have no first values: what a pass needs, without the weights' memory.
  // Constants stay, as passes read them.
  [[nodiscard]] Graph WithoutInitialValues() const;

 private:
  ValueId AddValue(Value value);
  ValueId AddGivenConstant(absl::string_view name, kernels::DType dtype, kernels::Shape shape,
                           Initializer initializer);
  [[nodiscard]] std::string UniqueName(absl::string_view name) const;

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::map<std::string, ValueId> outputs_;
  std::map<ValueId, ValueId> gradients_;
  std::map<ValueId, BufferUpdate> buffer_updates_;
  std::map<std::string, ValueId> names_;
};

// Fills `out` (plain row-major, as many floats as the shape has elements) with the first value of a
// parameter or buffer. Uniform and normal draws come from the random stream keyed by (seed, hash of
// the name). REQUIRES: out.size() is the number of elements, and so is that of kValues, which are
// floats.
void InitializeParameter(const Value& parameter, uint64_t seed, absl::Span<float> out);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_GRAPH_H_
