// Tensors of an ONNX file: initializers, and the tensors in attributes.
//
// Files hold elements of many types, in lists of numbers, in raw bytes, or in a file beside the
// model. Here all of that becomes what a graph holds: floating-point types become float32 (double
// and the types of 16 bits are rounded or widened), whole numbers keep their value in the smallest
// of our types that takes all of theirs. Nothing is allocated by a number of the file before it is
// checked against the bytes that are there.
//
//   in the file                          in a graph
//   FLOAT FLOAT16 BFLOAT16 DOUBLE        float32: rounded to the nearest, or widened
//   INT64, UINT32                        int64
//   INT32, INT16, INT8, UINT16           int32
//   UINT8                                uint8
//   BOOL                                 bool: whatever is not 0 is true
//   STRING, COMPLEX…, UINT64, FLOAT8…    refused by name
#ifndef RM_RUNTIME_ONNX_TENSOR_H_
#define RM_RUNTIME_ONNX_TENSOR_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "base/file_system.h"
#include "kernels/api/tensor.h"
#include "proto/onnx.pb.h"
#include "runtime/graph/graph.h"

namespace rm::onnx {

// The files beside a model. Borrows the file system, which may be nullptr: then a tensor in another
// file is an error. Thread-safe.
class ExternalFiles {
 public:
  ExternalFiles() = default;
  ExternalFiles(const base::FileSystem* files, std::string folder)
      : files_(files), folder_(std::move(folder)) {}

  // The `bytes` bytes of a tensor that says where they are. InvalidArgument: a path that leaves the
  // model's folder (absolute, or with ".."), an offset or a length that is no number or does not
  // fit the file or the tensor.
  [[nodiscard]] absl::StatusOr<std::string> Read(const ringmaster::onnx::TensorProto& tensor,
                                                 uint64_t bytes) const;
  // The bytes that its type and shape ask for.
  [[nodiscard]] absl::StatusOr<std::string> ReadAll(
      const ringmaster::onnx::TensorProto& tensor) const;

 private:
  const base::FileSystem* files_ = nullptr;
  std::string folder_;
};

// An element type of the format.
struct ElementType {
  int data_type = 0;          // TensorProto.DataType
  const char* name = "";      // as the specification calls it: "FLOAT16"
  kernels::DType dtype = kernels::DType::kFloat32;  // what it becomes
  uint64_t width = 0;         // bytes of an element in raw data
};

// nullptr: strings, complex numbers and what else has no place in a graph.
[[nodiscard]] const ElementType* FindElementType(int data_type);
// For messages: "FLOAT16", or the number where there is no name.
[[nodiscard]] std::string ElementTypeName(int data_type);

// A tensor as a graph holds it.
struct Tensor {
  kernels::DType dtype = kernels::DType::kFloat32;
  std::vector<int64_t> shape;
  graph::Initializer content;  // kValues
};

// InvalidArgument: a type that is not known, a negative dimension, more elements than bytes, or
// fewer; the caller names the tensor.
[[nodiscard]] absl::StatusOr<Tensor> ReadTensor(const ringmaster::onnx::TensorProto& proto,
                                                const ExternalFiles& external);

}  // namespace rm::onnx

#endif  // RM_RUNTIME_ONNX_TENSOR_H_
