// What PyTorch's exporter says of the model that a file was made from.
//
// Exports of torch.export carry the signature of the traced program as metadata of the graph, under the
// key pkg.torch.export.ExportedProgram.graph_signature, a line a value:
//
//   p_0_weight: PARAMETER target='0.weight'
//   b_inv_freq: BUFFER target='inv_freq' persistent=True
//   x: USER_INPUT
//
// The targets are the names of the model's state_dict, and of initializers where the export kept them.
// It is the only place where a file says what is trained and what is not.
#ifndef RM_RUNTIME_ONNX_SIGNATURE_H_
#define RM_RUNTIME_ONNX_SIGNATURE_H_

#include <set>
#include <string>
#include <vector>

#include "proto/onnx.pb.h"

namespace rm::onnx {

// Empty for files of other exporters. Value semantics.
class Signature {
 public:
  Signature() = default;
  // Lines that have another form are passed over: the format is nobody's standard.
  explicit Signature(const ringmaster::onnx::GraphProto& graph);

  // Whether the file has one at all.
  [[nodiscard]] bool known() const { return !parameters_.empty() || !constants_.empty(); }
  // The initializer is a parameter, or a buffer or another tensor that is never trained.
  [[nodiscard]] bool IsParameter(const std::string& name) const {
    return parameters_.count(name) > 0;
  }
  [[nodiscard]] bool IsConstant(const std::string& name) const {
    return constants_.count(name) > 0;
  }

  // Parameters of the model that the file has no initializer for, in the order of their names. One that is
  // tied to another is in the file under the other's name.
  [[nodiscard]] const std::vector<std::string>& missing() const { return missing_; }
  [[nodiscard]] size_t parameters() const { return parameters_.size(); }

  // True when an optimizer has rewritten nodes of the graph or put initializers of its own into it: then
  // what is missing is lost, and not tied.
  [[nodiscard]] bool rewritten() const { return rewritten_; }

 private:
  std::set<std::string> parameters_;
  std::set<std::string> constants_;
  std::vector<std::string> missing_;
  bool rewritten_ = false;
};

}  // namespace rm::onnx

#endif  // RM_RUNTIME_ONNX_SIGNATURE_H_
