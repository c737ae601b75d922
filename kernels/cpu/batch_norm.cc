// BatchNormalization, BatchNormTraining and BatchNormGrad, in any one layout, of float32 or bfloat16
// images.
//
// Our own loops rather than oneDNN's: statistics are as good as in double, a residual and a relu
// are taken in the same pass, and the bits do not depend on the number of threads, which share out
// blocks of channels. A block is read for its statistics and then, from the cache, to be
// normalised.
#include <cmath>

#include "kernels/api/bfloat16.h"
#include "kernels/api/bfloat16_form.h"
#include "kernels/cpu/batch_norm_loops.h"
#include "kernels/cpu/convolution.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"
#include "kernels/cpu/parallel.h"

namespace rm::kernels::cpu {
namespace {

BatchNormShape ShapeOf(const TensorType& x) {
  const int64_t pixels = ElementCount(Shape(x.shape.begin() + 2, x.shape.end()));
  const int64_t channels = x.shape[1];
  const int64_t block = ChannelBlock(x.layout);
  // A matrix has its channels side by side, too.
  const bool side_by_side = x.layout == Layout::kChannelsLast || pixels == 1;
  if (block == 1 && side_by_side) return {1, 1, x.shape[0] * pixels, channels};
  return {x.shape[0], (channels + block - 1) / block, pixels, block};
}

// The images of an instance have one layout; channels come in plain vectors.
bool SameLayouts(const OpInstance& op) {
  if (!IsLegalInEitherForm(op)) return false;
  const TensorType& y = op.outputs[0].type;
  for (const Operand& input : op.inputs) {
    if (input.present && input.type.shape == y.shape && input.type.layout != y.layout) return false;
  }
  return y.elements() > 0;
}

// Arrays by channel, padding included, one behind the other in scratch memory.
class ChannelArrays {
 public:
  ChannelArrays(void* scratch, int64_t channels)
      : next_(static_cast<double*>(scratch)), channels_(channels) {}

  // Bytes of so many arrays of each kind.
  static size_t Bytes(int64_t channels, int doubles, int floats) {
    return static_cast<size_t>(channels) *
           (static_cast<size_t>(doubles) + static_cast<size_t>(floats)) * sizeof(double);
  }

  double* Doubles() {
    double* array = next_;
    next_ += channels_;
    return array;
  }
  // Takes as much as doubles do: simple, and small beside the images.
  float* Floats() { return static_cast<float*>(static_cast<void*>(Doubles())); }

 private:
  double* next_;
  const int64_t channels_;
};

// The loops for images of one type.
template <typename Element>
const BatchNormLoopsOf<Element>& LoopsFor();
template <>
const BatchNormLoopsOf<float>& LoopsFor<float>() {
  return ChooseIsa(v1::kBatchNormLoops, v3::kBatchNormLoops, v4::kBatchNormLoops);
}
template <>
const BatchNormLoopsOf<Bfloat16>& LoopsFor<Bfloat16>() {
  return ChooseIsa(v1::kBatchNormBfloat16Loops, v3::kBatchNormBfloat16Loops,
                   v4::kBatchNormBfloat16Loops);
}

template <typename Element>
class BatchNormKernel : public Kernel {
 public:
  BatchNormKernel(const OpInstance& op, const KernelOptions& options)
      : loops_(LoopsFor<Element>()),
        shape_(ShapeOf(op.outputs[0].type)),
        channels_(op.outputs[0].type.shape[1]),
        epsilon_(static_cast<double>(op.attributes.Float("epsilon", 1e-5F))),
        relu_(op.attributes.String("activation", "") == "relu"),
        threads_(options.threads) {}

 protected:
  // Runs `body` for each block; the channels of a block are [first, last), padding included.
  template <typename Body>
  void ForBlocks(const Body& body) const {
    ParallelFor(threads_, shape_.blocks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) body(block);
    });
  }
  [[nodiscard]] int64_t first(int64_t block) const { return block * shape_.inner; }
  [[nodiscard]] int64_t last(int64_t block) const { return (block + 1) * shape_.inner; }

  const BatchNormLoopsOf<Element>& loops_;
  const BatchNormShape shape_;
  const int64_t channels_;  // without padding
  const double epsilon_;
  const bool relu_;
  const int threads_;
};

// Given statistics: a channel's factor and shift are computed once a run, as they may be trained or
// follow the batches.
template <typename Element>
class BatchNorm final : public BatchNormKernel<Element> {
 public:
  using BatchNormKernel<Element>::BatchNormKernel;

  size_t scratch_bytes() const override {
    return ChannelArrays::Bytes(shape_.channels(), 0, 3);
  }

  absl::Status Run(const Arguments& arguments) override {
    ChannelArrays arrays(arguments.scratch, shape_.channels());
    float* mean = arrays.Floats();
    float* factor = arrays.Floats();
    float* shift = arrays.Floats();
    const auto given = [&](size_t i, int64_t c) { return arguments.input<float>(i)[c]; };
    for (int64_t c = 0; c < shape_.channels(); ++c) {
      const bool real = c < channels_;
      mean[c] = real ? given(3, c) : 0;
      shift[c] = real ? given(2, c) : 0;
      factor[c] = 0;
      if (!real) continue;
      const double deviation = std::sqrt(static_cast<double>(given(4, c)) + epsilon_);
      factor[c] = static_cast<float>(static_cast<double>(given(1, c)) / deviation);
    }
    const BatchNormFactors factors{mean, factor, shift};
    ForBlocks([&](int64_t block) {
      loops_.normalize(shape_, block, arguments.input<Element>(0), nullptr, factors, relu_,
                       arguments.output<Element>(0));
    });
    return absl::OkStatus();
  }

 private:
  using BatchNormKernel<Element>::channels_;
  using BatchNormKernel<Element>::epsilon_;
  using BatchNormKernel<Element>::loops_;
  using BatchNormKernel<Element>::relu_;
  using BatchNormKernel<Element>::shape_;
  using BatchNormKernel<Element>::ForBlocks;
};

// Statistics of the batch itself. A block of channels is finished before the next is begun: its
// images are then still in the cache when they are normalised.
template <typename Element>
class BatchNormTraining final : public BatchNormKernel<Element> {
 public:
  using BatchNormKernel<Element>::BatchNormKernel;

  size_t scratch_bytes() const override {
    return ChannelArrays::Bytes(shape_.channels(), 2, 3);
  }

  absl::Status Run(const Arguments& arguments) override {
    ChannelArrays arrays(arguments.scratch, shape_.channels());
    double* exact_mean = arrays.Doubles();
    double* squares = arrays.Doubles();
    float* mean = arrays.Floats();
    float* factor = arrays.Floats();
    float* shift = arrays.Floats();
    ForBlocks([&](int64_t block) {
      const auto* x = arguments.input<Element>(0);
      loops_.statistics(shape_, block, x, exact_mean, squares);
      for (int64_t c = first(block); c < last(block); ++c) {
        mean[c] = factor[c] = shift[c] = 0;
        if (c >= channels_) continue;
        mean[c] = static_cast<float>(exact_mean[c]);
        shift[c] = arguments.input<float>(2)[c];
        factor[c] = Report(arguments, c, exact_mean[c], squares[c]);
      }
      loops_.normalize(shape_, block, x, arguments.input<Element>(3),
                       {mean, factor, shift}, relu_, arguments.output<Element>(0));
    });
    return absl::OkStatus();
  }

 private:
  using BatchNormKernel<Element>::channels_;
  using BatchNormKernel<Element>::epsilon_;
  using BatchNormKernel<Element>::loops_;
  using BatchNormKernel<Element>::relu_;
  using BatchNormKernel<Element>::shape_;
  using BatchNormKernel<Element>::first;
  using BatchNormKernel<Element>::last;
  using BatchNormKernel<Element>::ForBlocks;

  // Writes the statistics of a channel that somebody reads, and returns what scales it.
  [[nodiscard]] float Report(const Arguments& arguments, int64_t c, double mean,
                             double squares) const {
    const auto count = static_cast<double>(shape_.images * shape_.pixels);
    const double inverse = 1 / std::sqrt(squares / count + epsilon_);
    const double unbiased = count > 1 ? squares / (count - 1) : 0;
    const double statistics[] = {mean, unbiased, inverse};
    for (size_t i = 0; i < 3; ++i) {
      auto* output = arguments.output<float>(i + 1);
      if (output != nullptr) output[c] = static_cast<float>(statistics[i]);
    }
    return static_cast<float>(static_cast<double>(arguments.input<float>(1)[c]) * inverse);
  }
};

// With N = (X − mean) · inverse: dX = scale · inverse · (dY − mean(dY) − N · mean(dY · N)).
template <typename Element>
class BatchNormGrad final : public BatchNormKernel<Element> {
 public:
  using BatchNormKernel<Element>::BatchNormKernel;

  size_t scratch_bytes() const override {
    return ChannelArrays::Bytes(shape_.channels(), 2, 4);
  }

  absl::Status Run(const Arguments& arguments) override {
    ChannelArrays arrays(arguments.scratch, shape_.channels());
    double* sums = arrays.Doubles();
    double* products = arrays.Doubles();
    float* mean = arrays.Floats();
    float* factor = arrays.Floats();
    float* shift = arrays.Floats();
    float* slope = arrays.Floats();
    ForBlocks([&](int64_t block) {
      const auto* dy = arguments.input<Element>(0);
      const auto* x = arguments.input<Element>(1);
      const auto* y = arguments.input<Element>(5);
      for (int64_t c = first(block); c < last(block); ++c) {
        mean[c] = c < channels_ ? arguments.input<float>(3)[c] : 0;
      }
      loops_.gradient_sums(shape_, block, dy, y, x, mean, sums, products);
      for (int64_t c = first(block); c < last(block); ++c) {
        factor[c] = shift[c] = slope[c] = 0;
        if (c < channels_) SetSlopes(arguments, c, sums[c], products[c], factor, shift, slope);
      }
      loops_.gradient(shape_, block, dy, y, x, {mean, factor, shift, slope},
                      arguments.output<Element>(0));
    });
    return absl::OkStatus();
  }

 private:
  using BatchNormKernel<Element>::channels_;
  using BatchNormKernel<Element>::loops_;
  using BatchNormKernel<Element>::shape_;
  using BatchNormKernel<Element>::first;
  using BatchNormKernel<Element>::last;
  using BatchNormKernel<Element>::ForBlocks;

  void SetSlopes(const Arguments& arguments, int64_t c, double sum, double product, float* factor,
                 float* shift, float* slope) const {
    const auto count = static_cast<double>(shape_.images * shape_.pixels);
    const auto scale = static_cast<double>(arguments.input<float>(2)[c]);
    const auto inverse = static_cast<double>(arguments.input<float>(4)[c]);
    auto* dscale = arguments.output<float>(1);
    auto* dbias = arguments.output<float>(2);
    if (dscale != nullptr) dscale[c] = static_cast<float>(product * inverse);
    if (dbias != nullptr) dbias[c] = static_cast<float>(sum);
    factor[c] = static_cast<float>(scale * inverse);
    shift[c] = static_cast<float>(scale * inverse * sum / count);
    slope[c] = static_cast<float>(scale * inverse * inverse * inverse * product / count);
  }
};

// Where channels fill blocks, in blocks: that is how the convolutions around want their images.
Layout BlockedOr(const TensorType& x) {
  const bool plain_image = x.layout == Layout::kPlain && x.shape.size() == 4;
  return plain_image ? ConvLayout(x.shape[1], 1) : x.layout;
}

// Every image in one layout, the rest plain.
LayoutChoice Choose(const OpInstance& op, Layout layout) {
  LayoutChoice choice;
  const Shape& image = op.outputs[0].type.shape;
  const auto layout_of = [&](const Operand& operand) {
    return operand.present && operand.type.shape == image ? layout : Layout::kPlain;
  };
  for (const Operand& input : op.inputs) choice.inputs.push_back(layout_of(input));
  for (const Operand& output : op.outputs) choice.outputs.push_back(layout_of(output));
  return choice;
}

// The kernel for the type of the images.
template <template <typename> class BatchNormOf>
absl::StatusOr<std::unique_ptr<Kernel>> MakeFor(const OpInstance& op,
                                               const KernelOptions& options) {
  const bool narrow = op.outputs[0].type.dtype == DType::kBfloat16;
  if (narrow) return std::make_unique<BatchNormOf<Bfloat16>>(op, options);
  return std::make_unique<BatchNormOf<float>>(op, options);
}

}  // namespace

bool SupportsBatchNorm(const OpInstance& instance) { return SameLayouts(instance); }

// That of X, which the rest of a block of layers has, too.
LayoutChoice ChooseBatchNormLayouts(const OpInstance& instance,
                                    const KernelOptions& /*options*/) {
  return Choose(instance, BlockedOr(instance.inputs[0].type));
}

// X has the layout of the forward pass.
LayoutChoice ChooseBatchNormGradLayouts(const OpInstance& instance,
                                        const KernelOptions& /*options*/) {
  return Choose(instance, BlockedOr(instance.inputs[1].type));
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeBatchNorm(const OpInstance& instance,
                                                      const KernelOptions& options) {
  return MakeFor<BatchNorm>(instance, options);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeBatchNormTraining(const OpInstance& instance,
                                                              const KernelOptions& options) {
  return MakeFor<BatchNormTraining>(instance, options);
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeBatchNormGrad(const OpInstance& instance,
                                                          const KernelOptions& options) {
  return MakeFor<BatchNormGrad>(instance, options);
}

}  // namespace rm::kernels::cpu
