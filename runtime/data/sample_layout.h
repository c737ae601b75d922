// What a sample is made of: the tensors that go into a model, and the target that its loss compares
// the output with.
//
// Two sides speak of it. A model says what it takes (runtime/model/layout.h); a data source says what
// it has, under the model's names and in its types, since a source knows how to make numbers of its
// bytes. CheckLayout compares the two. Shapes are those of one sample: the batch is not among them.
#ifndef RM_RUNTIME_DATA_SAMPLE_LAYOUT_H_
#define RM_RUNTIME_DATA_SAMPLE_LAYOUT_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "kernels/api/tensor.h"

namespace rm::data {

// One tensor of a sample.
struct SampleTensor {
  std::string name;
  kernels::DType dtype = kernels::DType::kFloat32;
  std::vector<int64_t> shape;
  // Of whole numbers that are looked up in a table of the model: it has so many rows, and they count
  // from 0. 0: any number of the type will do.
  int64_t limit = 0;

  // Product of the shape, 1 without dimensions.
  [[nodiscard]] int64_t elements() const;
  // Bytes in memory, row-major.
  [[nodiscard]] size_t bytes() const;
  // Of whole numbers: the least and the largest that this tensor may hold.
  [[nodiscard]] int64_t least() const;
  [[nodiscard]] int64_t largest() const;
  // "int64 [64]"; "float32 []" for a single number.
  [[nodiscard]] std::string ToString() const;
};

// A whole sample. Value semantics.
struct SampleLayout {
  // In the order of the model's inputs.
  std::vector<SampleTensor> inputs;
  // int64: class indices. float32: numbers that the output is compared with.
  SampleTensor target = {"target", kernels::DType::kInt64, {}, 0};
  // Of class indices. The model's side: how many it tells apart, 0 where nobody knows. The data's
  // side: the highest one of its good samples, plus 1.
  int64_t classes = 0;
  // Of numbers: each lies between 0 and 1.
  bool target_is_share = false;
  // The model is built in, so that its sizes can be set by model.params; for messages.
  bool has_params = true;

  [[nodiscard]] bool has_classes() const { return target.dtype == kernels::DType::kInt64; }
  // Weights of one sample: class indices have one each, numbers of a sample one together.
  [[nodiscard]] int64_t weights() const { return has_classes() ? target.elements() : 1; }
};

// Where the rows of a batch lie: typed, row-major, one sample behind the other. Borrowed.
struct BatchMemory {
  absl::Span<void* const> inputs;  // each (rows, elements of its input)
  void* target = nullptr;          // (rows, elements of the target)
  float* weights = nullptr;        // (rows, weights of a sample)
};

// Row `row` of such memory.
template <typename T>
[[nodiscard]] T* RowOf(void* memory, int64_t row, int64_t elements) {
  return static_cast<T*>(memory) + row * elements;
}

// Whether targets of these shapes, without the batch, mean the same: [n] and [n, 1] are two ways to
// write one column.
[[nodiscard]] bool IsSameTarget(const std::vector<int64_t>& a, const std::vector<int64_t>& b);

// Whether samples of `data` can be read by a model of `model`. A sample of one dimension (a row of a
// table) fits every input of as many numbers, and dimensions of 1 are no difference between targets.
// InvalidArgument names the input, and says both sides.
[[nodiscard]] absl::Status CheckLayout(const SampleLayout& model, const SampleLayout& data);

// "is out of range: the model has 10 classes, 0 to 9 (model.params.classes)": a BadRecord's reason.
[[nodiscard]] std::string LabelOutOfRange(const SampleLayout& model);

// "'a', 'b'": for messages.
[[nodiscard]] std::string NamesOf(const std::vector<SampleTensor>& tensors);

}  // namespace rm::data

#endif  // RM_RUNTIME_DATA_SAMPLE_LAYOUT_H_
