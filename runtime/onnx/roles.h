// Which initializers of a file are trained.
//
// The format does not say: weights, running statistics, masks, tables of positions and scalars that
// a tracer wrote down are all initializers. The rules, in order:
//   0. where the file carries the signature of PyTorch's torch.export (signature.h), a tensor that it
//      names is what it says; if it names all that are trained, every other tensor is a constant, and
//      in any case a scalar is;
//   1. running mean and variance of a BatchNormalization are buffers;
//   2. only floating-point tensors that reach an output on a way that carries gradients are trained:
//      what is compared, cast to integers, or a bound, a shape or a pad is a constant;
//   3. a tensor called like a mask or a rotary table is a constant, and so is one that looks like a
//      mask: with an infinity in it, or of rank 2 and more with zeros and one other value alone,
//      which is 1 or far below zero;
//   4. a scalar, or a vector of one element, is trained if it has a name of its own, that is, none
//      that an exporter made up ("val_3", "onnx::Mul_41", "/encoder/Constant_output_0");
//   5. scale and bias of an InstanceNormalization that are all 1, or 0, and have no name of their own
//      belong to PyTorch's GroupNorm, which applies its weights later: constants;
//   6. everything else is a parameter.
// A job file can freeze parameters by pattern; `trainctl graph` prints what was found.
//
// PyTorch's TorchScript exporter keeps one copy of initializers that are equal, and hands the others
// out through Identity. Such an Identity is a parameter of its own, named after its output, with the
// same first value: really tied weights are one initializer that is read twice.
#ifndef RM_RUNTIME_ONNX_ROLES_H_
#define RM_RUNTIME_ONNX_ROLES_H_

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "proto/onnx.pb.h"
#include "runtime/onnx/signature.h"
#include "runtime/onnx/tensor.h"

namespace rm::onnx {

enum class Role { kParameter, kBuffer, kConstant };

// From the output of each Identity of an initializer to that initializer's name, through chains of
// them. `order` is that of SortNodes. A parameter that the file's signature names has none.
[[nodiscard]] std::map<std::string, std::string> FindAliases(
    const ringmaster::onnx::GraphProto& graph, const std::vector<int>& order);

// True for names that exporters make up.
[[nodiscard]] bool IsGeneratedName(absl::string_view name);

// Who reads what in a graph. Borrows it. Thread-compatible.
class Readers {
 public:
  // A use of a value: the node's position, and the operand's in it.
  using Use = std::pair<int, int>;

  Readers(const ringmaster::onnx::GraphProto& graph, const std::vector<int>& order);

  // In the order of the nodes; none for a value that nobody reads.
  [[nodiscard]] const std::vector<Use>& uses(const std::string& name) const;

  // What the initializer, or alias, `name` with this content is.
  [[nodiscard]] Role RoleOf(const std::string& name, const Tensor& tensor) const;
  [[nodiscard]] const Signature& signature() const { return signature_; }

 private:
  const ringmaster::onnx::GraphProto& graph_;
  const Signature signature_;
  std::map<std::string, std::vector<Use>> uses_;
  std::set<std::string> differentiable_;  // names of values through which an output can be changed
};

// What people should know before they train what the file holds: weights that the export merged,
// folded or renamed. `parameters` are the names that were found. Each is one sentence; the last one
// says what to do, if there is any.
[[nodiscard]] std::vector<std::string> ExportWarnings(const ringmaster::onnx::GraphProto& graph,
                                                      const Readers& readers,
                                                      const std::vector<std::string>& parameters);

}  // namespace rm::onnx

#endif  // RM_RUNTIME_ONNX_ROLES_H_
