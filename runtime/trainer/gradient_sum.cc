#include "runtime/trainer/gradient_sum.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/check.h"
#include "base/status.h"

namespace rm::trainer {

absl::StatusOr<GradientSum> GradientSum::Create(std::vector<absl::Span<float>> buckets,
                                                std::vector<absl::Span<float>> sums, int parts,
                                                kernels::KernelTable table,
                                                const kernels::KernelOptions& options) {
  GradientSum made;
  made.parts_ = parts;
  if (parts == 1) return made;
  RM_CHECK(parts > 1 && sums.size() == buckets.size());
  for (const absl::Span<float> bucket : buckets) {
    const kernels::Operand flat{
        {kernels::DType::kFloat32, {static_cast<int64_t>(bucket.size())}}};
    const kernels::OpInstance add{"Add", {}, {flat, flat}, {flat}};
    const kernels::KernelEntry* entry = kernels::FindKernel(table, add);
    if (entry == nullptr) return absl::InternalError("no kernel for Add");
    RM_ASSIGN_OR_RETURN(auto kernel, entry->make(add, options));
    RM_CHECK(kernel->scratch_bytes() == 0 && entry->in_place_input == 0);
    made.adds_.push_back(std::move(kernel));
  }
  made.buckets_ = std::move(buckets);
  made.sums_ = std::move(sums);
  return made;
}

// Left to right: (((p0 + p1) + p2) + …), since a sum of two does not depend on their order.
absl::Status GradientSum::Take(int bucket, int part) {
  if (parts_ == 1) return absl::OkStatus();
  const auto index = static_cast<size_t>(bucket);
  float* gradients = buckets_[index].data();
  float* sum = sums_[index].data();
  if (part == 0) {
    std::copy_n(gradients, buckets_[index].size(), sum);
    return absl::OkStatus();
  }
  float* into = part + 1 == parts_ ? gradients : sum;
  const float* other = into == sum ? gradients : sum;
  const std::array<const void*, 2> inputs = {into, other};
  const std::array<void*, 1> outputs = {into};
  return adds_[index]->Run({inputs, outputs, nullptr});
}

}  // namespace rm::trainer
