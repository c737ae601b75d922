// LayerNormalization(X, Scale[, B]) → Y[, Mean, InvStdDev], and its gradient. Plain.
//
// Rows are independent of each other but for the gradients of scale and bias. These are summed in
// blocks of rows, and the blocks' sums are added up in their order: the same bits for any number of
// threads, and a rounding error that does not grow with the number of rows.
#include <algorithm>

#include "kernels/api/check_instance.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/norm_loops.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"
#include "kernels/cpu/reduce_loops.h"

namespace rm::kernels::cpu {
namespace {

constexpr int64_t kRowsOfBlock = 64;
constexpr int64_t kGrain = 32;  // rows a thread

// The elements of one row: those behind the axis.
int64_t RowElements(const OpInstance& op, const Shape& x) {
  const int64_t axis = op.attributes.Int("axis", -1);
  const int64_t first = axis < 0 ? axis + static_cast<int64_t>(x.size()) : axis;
  return ElementCount(Shape(x.begin() + first, x.end()));
}

// A row is read three times, the second and third time from the first-level cache: for its mean, its
// squares and its result.
class LayerNorm final : public Kernel {
 public:
  LayerNorm(const OpInstance& op, const KernelOptions& options)
      : loops_(ChooseIsa(v1::kNormLoops, v3::kNormLoops, v4::kNormLoops)),
        n_(RowElements(op, op.inputs[0].type.shape)),
        rows_(op.inputs[0].type.elements() / n_),
        epsilon_(op.attributes.Float("epsilon", 1e-5F)),
        threads_(options.threads) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<float>(0);
    const auto* scale = arguments.input<float>(1);
    const auto* bias = arguments.input<float>(2);
    auto* y = arguments.output<float>(0);
    auto* mean = arguments.output<float>(1);
    auto* inv_std = arguments.output<float>(2);
    ParallelFor(threads_, rows_, kGrain, [&](int64_t begin, int64_t end) {
      loops_.layer_norm(x + begin * n_, scale, bias, epsilon_, y + begin * n_,
                        mean != nullptr ? mean + begin : nullptr,
                        inv_std != nullptr ? inv_std + begin : nullptr, end - begin, n_);
    });
    return absl::OkStatus();
  }

 private:
  const NormLoops& loops_;
  const int64_t n_;
  const int64_t rows_;
  const float epsilon_;
  const int threads_;
};

// Scratch memory: (blocks, 2, n) sums of scale and bias gradients.
class LayerNormGrad final : public Kernel {
 public:
  LayerNormGrad(const OpInstance& op, const KernelOptions& options)
      : loops_(ChooseIsa(v1::kNormLoops, v3::kNormLoops, v4::kNormLoops)),
        reduce_(ChooseIsa(v1::kReduceLoops, v3::kReduceLoops, v4::kReduceLoops)),
        n_(RowElements(op, op.inputs[1].type.shape)),
        rows_(op.inputs[1].type.elements() / n_),
        blocks_((rows_ + kRowsOfBlock - 1) / kRowsOfBlock),
        threads_(options.threads) {}

  size_t scratch_bytes() const override {
    return static_cast<size_t>(blocks_ * 2 * n_) * sizeof(float);
  }

  absl::Status Run(const Arguments& arguments) override {
    auto* sums = static_cast<float*>(arguments.scratch);
    ParallelFor(threads_, blocks_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) Block(arguments, block, sums);
    });
    auto* dscale = arguments.output<float>(1);
    auto* dbias = arguments.output<float>(2);
    if (dscale != nullptr) reduce_.columns(sums, dscale, blocks_, n_, 2 * n_);
    if (dbias != nullptr) reduce_.columns(sums + n_, dbias, blocks_, n_, 2 * n_);
    return absl::OkStatus();
  }

 private:
  // One block of rows: their dX, and what they add to the gradients of scale and bias. The last block
  // may be shorter than the others.
  void Block(const Arguments& arguments, int64_t block, float* sums) const {
    const int64_t row = block * kRowsOfBlock;
    const int64_t rows = std::min(kRowsOfBlock, rows_ - row);
    const NormGradInputs inputs{arguments.input<float>(0) + row * n_,
                                arguments.input<float>(1) + row * n_, arguments.input<float>(2),
                                arguments.input<float>(3) + row, arguments.input<float>(4) + row};
    float* dscale = sums + block * 2 * n_;
    loops_.layer_norm_grad(inputs, arguments.output<float>(0) + row * n_, dscale, dscale + n_,
                           rows, n_);
  }

  const NormLoops& loops_;
  const ReduceLoops& reduce_;
  const int64_t n_;
  const int64_t rows_;
  const int64_t blocks_;
  const int threads_;
};

bool LegalAndPlain(const OpInstance& instance) {
  return AllPlain(instance) && CheckInstance(instance).ok();
}

}  // namespace

bool SupportsLayerNorm(const OpInstance& instance) { return LegalAndPlain(instance); }

bool SupportsLayerNormGrad(const OpInstance& instance) { return LegalAndPlain(instance); }

absl::StatusOr<std::unique_ptr<Kernel>> MakeLayerNorm(const OpInstance& instance,
                                                      const KernelOptions& options) {
  return std::make_unique<LayerNorm>(instance, options);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeLayerNormGrad(const OpInstance& instance,
                                                          const KernelOptions& options) {
  return std::make_unique<LayerNormGrad>(instance, options);
}

}  // namespace rm::kernels::cpu
