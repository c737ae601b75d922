#include "runtime/onnx/self_contained.h"

#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace rm::onnx {
namespace {

using ringmaster::onnx::ModelProto;
using ringmaster::onnx::TensorProto;

// What a serialised message may have; WriteModel looks at the whole of it.
constexpr uint64_t kBytesMax = std::numeric_limits<int32_t>::max();

// Every tensor whose bytes the importer reads. The first error ends the walk.
absl::Status ForEachTensor(ModelProto* model,
                           absl::FunctionRef<absl::Status(TensorProto* tensor)> use) {
  for (TensorProto& tensor : *model->mutable_graph()->mutable_initializer()) {
    RM_RETURN_IF_ERROR(use(&tensor));
  }
  for (auto& node : *model->mutable_graph()->mutable_node()) {
    for (auto& attribute : *node.mutable_attribute()) {
      if (attribute.has_t()) RM_RETURN_IF_ERROR(use(attribute.mutable_t()));
    }
  }
  return absl::OkStatus();
}

bool IsExternal(const TensorProto& tensor) {
  return tensor.data_location() == TensorProto::EXTERNAL;
}

}  // namespace

bool HasExternalData(const ModelProto& model) {
  for (const TensorProto& tensor : model.graph().initializer()) {
    if (IsExternal(tensor)) return true;
  }
  for (const auto& node : model.graph().node()) {
    for (const auto& attribute : node.attribute()) {
      if (attribute.has_t() && IsExternal(attribute.t())) return true;
    }
  }
  return false;
}

// The limit is watched as bytes come, so that a model of fifty gigabytes fails at its second.
absl::Status TakeInExternalData(const ExternalFiles& external, ModelProto* model) {
  uint64_t bytes_taken = 0;
  return ForEachTensor(model, [&](TensorProto* tensor) -> absl::Status {
    if (!IsExternal(*tensor)) return absl::OkStatus();
    absl::StatusOr<std::string> bytes = external.ReadAll(*tensor);
    if (!bytes.ok()) {
      return base::Annotate(bytes.status(), absl::StrCat("tensor '", tensor->name(), "'"));
    }
    bytes_taken += bytes->size();
    if (bytes_taken > kBytesMax) {
      return absl::InvalidArgumentError(
          "the model and its external data have 2 GiB and more, which a job cannot bring along");
    }
    tensor->clear_external_data();
    tensor->clear_data_location();
    tensor->set_raw_data(*std::move(bytes));
    return absl::OkStatus();
  });
}

}  // namespace rm::onnx
