// What a binder works with: one node of the model, and the bound graph that is being made.
//
// A binder reads the node's attributes and the types and known contents of its operands, appends
// nodes in canonical form, and says which values stand for the node's outputs:
//
//   absl::Status BindExpand(BindContext* context) {
//     RM_ASSIGN_OR_RETURN(const auto wanted, context->Integers(1, "shape"));
//     …
//     return context->Become("Expand", {context->input(0)}, {{"shape", shape}});
//   }
//
// A second example, of an operator that becomes two:
//
//   absl::Status BindNegatedSum(BindContext* context) {
//     RM_RETURN_IF_ERROR(context->RequireInputs(2));
//     RM_ASSIGN_OR_RETURN(const ValueId sum, context->Append("Add", context->inputs(), {}, "/sum"));
//     return context->Become("Neg", {sum});          // named as the model's node
//   }
//
// Types are concrete. Whatever is appended is inferred at once, and folded when all of its operands
// are constants, so that the next binder sees its content.
#ifndef RM_RUNTIME_GRAPH_BIND_BIND_CONTEXT_H_
#define RM_RUNTIME_GRAPH_BIND_BIND_CONTEXT_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "kernels/api/op.h"
#include "kernels/api/tensor.h"
#include "runtime/graph/graph.h"

namespace rm::graph {

// Elements a value may have: beyond that no machine holds it, and products stay far from overflow.
inline constexpr int64_t kElementsMax = int64_t{1} << 40;

// Whole numbers up to here are exact as doubles, in which binders read single numbers.
inline constexpr double kExactDoubleMax = 9007199254740992.0;

// The number of elements of these dimensions; InvalidArgument below 0 or above kElementsMax. The latter
// counts the dimensions other than 0, so that a tensor without elements has bounded dimensions too.
[[nodiscard]] absl::StatusOr<int64_t> CheckedElements(const std::vector<int64_t>& dimensions);

// Lives as long as one BindBatch; `node` moves on. Errors do not name the node: the caller does.
class BindContext {
 public:
  BindContext(const Graph& model, int64_t batch, int64_t folded_bytes_max);

  // Binds one node after the other. `bind` is called with the node set.
  void Begin(const Node& node);

  // --- the node ---
  [[nodiscard]] const Node& node() const { return *node_; }
  // Present operands. An absent one is kNoValue.
  [[nodiscard]] bool has_input(size_t i) const { return input(i) != kNoValue; }
  [[nodiscard]] ValueId input(size_t i) const;
  [[nodiscard]] std::vector<ValueId> inputs() const;
  // InvalidArgument unless the first `count` operands are there.
  [[nodiscard]] absl::Status RequireInputs(size_t count) const;
  // Whether anything reads output `i`, or it is an output of the model.
  [[nodiscard]] bool output_is_used(size_t i) const;

  // --- values of the bound graph ---
  [[nodiscard]] const kernels::TensorType& type(ValueId id) const {
    return types_[static_cast<size_t>(id)];
  }
  [[nodiscard]] std::vector<int64_t> shape(ValueId id) const;
  [[nodiscard]] bool is_constant(ValueId id) const;
  // The elements of operand `i`, called `name` in messages, a known tensor of integers.
  [[nodiscard]] absl::StatusOr<std::vector<int64_t>> Integers(size_t i,
                                                              absl::string_view name) const;
  // The same of one element or of an axis list: as the operand says, or else as the attribute
  // `name` does; `fallback` where there is neither.
  [[nodiscard]] absl::StatusOr<std::vector<int64_t>> IntegersOrAttribute(
      size_t i, absl::string_view name, const std::vector<int64_t>& fallback) const;
  // The elements of operand `i`, called `name` in messages, a known tensor of any dtype: scales, which
  // are floats, and sizes, which are not, are read alike. Integers beyond 2⁵³ lose their last digits.
  [[nodiscard]] absl::StatusOr<std::vector<double>> Numbers(size_t i, absl::string_view name) const;
  // The one element of operand `i`, of any dtype.
  [[nodiscard]] absl::StatusOr<double> Number(size_t i, absl::string_view name) const;

  // --- what becomes of it ---
  // Appends a canonical node of one output and returns it. It is called as the bound node, with
  // `suffix` where that is taken.
  [[nodiscard]] absl::StatusOr<ValueId> Append(absl::string_view op, std::vector<ValueId> inputs,
                                               kernels::Attributes attributes = {},
                                               absl::string_view suffix = "");
  [[nodiscard]] absl::StatusOr<std::vector<ValueId>> AppendMany(absl::string_view op,
                                                                std::vector<ValueId> inputs,
                                                                size_t outputs,
                                                                kernels::Attributes attributes,
                                                                absl::string_view suffix = "");
  // A node of one operand and one output of the same type, whatever its signature says: one whose
  // canonical form is made later.
  [[nodiscard]] ValueId AppendLike(absl::string_view op, ValueId input,
                                   kernels::Attributes attributes);
  // The value under another shape of as many elements; itself when it has that shape.
  [[nodiscard]] absl::StatusOr<ValueId> Reshaped(ValueId value, const std::vector<int64_t>& shape,
                                                 absl::string_view suffix = "");
  // What constants may still take.
  [[nodiscard]] int64_t folded_bytes_left() const { return folded_bytes_left_; }
  // InvalidArgument when `bytes` of constants are more than may still be made. To be asked before
  // they are: a few bytes of a file can ask for any number.
  [[nodiscard]] absl::Status CheckRoom(int64_t bytes) const;
  // Counts `nodes` that one node of the model becomes against the same limit.
  [[nodiscard]] absl::Status TakeRoomForNodes(int64_t nodes);
  // A constant called after the node. REQUIRES: as many elements as the shape has.
  [[nodiscard]] ValueId Constant(absl::string_view suffix, kernels::DType dtype,
                                 const std::vector<int64_t>& shape, Initializer content);
  // A constant of one repeated element, folded or expanded. InvalidArgument: no such element in an
  // integer dtype.
  [[nodiscard]] absl::StatusOr<ValueId> Filled(absl::string_view suffix, kernels::DType dtype,
                                               const std::vector<int64_t>& shape, double element);

  // The mask by which `queries` see no later one of `keys`, kept from node to node: every layer of a
  // transformer asks for the same, and each copy would count against the limit on constants. kNoValue
  // until it has been set. REQUIRES (to write): a constant of the bound graph, bool (queries, keys).
  [[nodiscard]] ValueId& causal_mask(int64_t queries, int64_t keys) {
    return causal_masks_.try_emplace({queries, keys}, kNoValue).first->second;
  }

  // Output `i` of the node is this value.
  void SetOutput(size_t i, ValueId value);
  // Append, as output 0.
  [[nodiscard]] absl::Status Become(absl::string_view op, std::vector<ValueId> inputs,
                                    kernels::Attributes attributes = {});
  // Output 0 is operand 0 under this shape.
  [[nodiscard]] absl::Status BecomeReshaped(const std::vector<int64_t>& shape);
  // Output 0 is a sequence of tensors, which SequenceAt takes apart again.
  void SetSequence(std::vector<ValueId> elements);
  // The sequence that operand 0 of the node is; nullptr when it is none.
  [[nodiscard]] const std::vector<ValueId>* sequence() const;

  // The bound graph so far, and where a value of the model is in it (kNoValue: nowhere).
  [[nodiscard]] const Graph& graph() const { return bound_; }
  [[nodiscard]] ValueId bound(ValueId model_value) const;

 private:
  [[nodiscard]] std::string FreeName(absl::string_view suffix, size_t outputs) const;
  [[nodiscard]] std::string Origin(ValueId value) const;
  [[nodiscard]] absl::StatusOr<std::vector<ValueId>> Place(const kernels::OpInstance& instance,
                                                           const std::string& name,
                                                           const std::vector<ValueId>& inputs);

  const Graph& model_;
  Graph bound_;
  std::vector<kernels::TensorType> types_;  // by bound value
  std::vector<ValueId> bound_of_;           // by value of the model
  std::vector<bool> used_;                  // by value of the model
  std::map<ValueId, std::vector<ValueId>> sequences_;  // by value of the model
  std::map<ValueId, size_t> node_of_;                  // by bound value: the node that writes it
  std::map<std::pair<int64_t, int64_t>, ValueId> causal_masks_;  // by (queries, keys)
  const Node* node_ = nullptr;
  int64_t folded_bytes_left_;
};

// Turns one node of the model into canonical form.
using Binder = absl::Status (*)(BindContext* context);

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_BIND_BIND_CONTEXT_H_
