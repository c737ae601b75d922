#include "runtime/trainer/flat_update.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace rm::trainer {

FlatUpdate::FlatUpdate(std::string op, int state, int numbers)
    : op_(std::move(op)), state_count_(state), number_count_(numbers) {
  RM_CHECK(numbers <= kNumbersMax, op_, " takes ", numbers, " numbers");
}

// Flat memory of any meaning: padding between parameters is updated as well, and stays zero.
kernels::OpInstance FlatUpdate::Instance(int64_t elements) const {
  const kernels::Operand flat{{kernels::DType::kFloat32, {elements}}};
  const kernels::Operand numbers{{kernels::DType::kFloat32, {number_count_}}};
  kernels::OpInstance instance{op_, {}, {flat, flat}, {flat}};
  for (int i = 0; i < state_count_; ++i) {
    instance.inputs.push_back(flat);
    instance.outputs.push_back(flat);
  }
  instance.inputs.push_back(numbers);
  return instance;
}

absl::Status FlatUpdate::Bind(const std::vector<BucketMemory>& buckets, kernels::KernelTable table,
                              const kernels::KernelOptions& options) {
  for (const BucketMemory& bucket : buckets) {
    RM_CHECK(static_cast<int>(bucket.state.size()) == state_count_);
    for (const BucketRun& run : bucket.runs) {
      const kernels::OpInstance instance = Instance(static_cast<int64_t>(run.count));
      const kernels::KernelEntry* entry = kernels::FindKernel(table, instance);
      if (entry == nullptr) return absl::InternalError(absl::StrCat("no kernel for ", op_));
      Call call;
      RM_ASSIGN_OR_RETURN(call.kernel, entry->make(instance, options));
      RM_CHECK(call.kernel->scratch_bytes() == 0);
      float* weights = bucket.weights.data() + run.first;
      call.inputs = {weights, bucket.gradients.data() + run.first};
      call.outputs = {weights};
      for (const absl::Span<float> state : bucket.state) {
        call.inputs.push_back(state.data() + run.first);
        call.outputs.push_back(state.data() + run.first);
      }
      call.inputs.push_back(run.decays ? decaying_ : plain_);
      calls_.push_back(std::move(call));
    }
  }
  return absl::OkStatus();
}

absl::Status FlatUpdate::Run() {
  for (const Call& call : calls_) {
    RM_RETURN_IF_ERROR(
        call.kernel->Run({call.inputs, absl::MakeConstSpan(call.outputs), nullptr}));
  }
  return absl::OkStatus();
}

}  // namespace rm::trainer
