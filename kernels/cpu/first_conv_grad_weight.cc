// ConvGradWeight(X, dY) → dW[, dB] of a first layer.
//
// oneDNN 2.6 has no AVX2 code for one plain channel, which it pads to eight: 2,480 µs for 64 images
// of 28 × 28 to 32 channels, where this takes 280 (AVX-512: 179 and 142). With three channels, 32
// images of 32 × 32 to 64: 1,950 and 1,160 (594 and 604).
#include <algorithm>
#include <cstring>

#include "kernels/api/check_instance.h"
#include "kernels/cpu/first_conv_loops.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/ops.h"

namespace rm::kernels::cpu {
namespace {

constexpr int64_t kChannelsMax = 3;

int64_t RoundUp16(int64_t floats) { return (floats + 15) / 16 * 16; }

void Clear(float* floats, int64_t count) { std::fill(floats, floats + count, 0.0F); }

// Scratch memory: one padded channel of X, then the sums of all blocks, (blocks, taps + 1, block):
// the taps of all input channels, and the bias. Padding is copied around a channel once, so that
// the loops meet no edges; the copy stays in cache.
class FirstConvGradWeight final : public Kernel {
 public:
  explicit FirstConvGradWeight(const OpInstance& op)
      : loops_(ChooseIsa(v1::kFirstConvLoops, v3::kFirstConvLoops, v4::kFirstConvLoops)),
        window_(ReadWindow2d(op.attributes, op.outputs[0].type.shape)),
        x_(op.inputs[0].type.shape),
        dy_(op.inputs[1].type.shape) {
    shape_.width = x_[3] + window_.pad_left + window_.pad_right;
    shape_.out_h = dy_[2];
    shape_.out_w = dy_[3];
    shape_.block = ChannelBlock(op.inputs[1].type.layout);
    shape_.kernel_h = window_.kernel_h;
    shape_.kernel_w = window_.kernel_w;
    shape_.stride_h = window_.stride_h;
    shape_.stride_w = window_.stride_w;
    shape_.dilation_h = window_.dilation_h;
    shape_.dilation_w = window_.dilation_w;
    blocks_ = (dy_[1] + shape_.block - 1) / shape_.block;
    taps_ = x_[1] * shape_.kernel_h * shape_.kernel_w;
    padded_ = RoundUp16(shape_.width * (x_[2] + window_.pad_top + window_.pad_bottom));
  }

  size_t scratch_bytes() const override {
    return static_cast<size_t>(padded_ + blocks_ * SumsOfBlock()) * sizeof(float);
  }

  absl::Status Run(const Arguments& arguments) override {
    auto* padded = static_cast<float*>(arguments.scratch);
    float* sums = padded + padded_;
    Clear(padded, padded_ + blocks_ * SumsOfBlock());
    for (int64_t n = 0; n < x_[0]; ++n) {
      AddImage(arguments.input<float>(0) + n * x_[1] * x_[2] * x_[3],
               arguments.input<float>(1) + n * blocks_ * GradientsOfBlock(), padded, sums);
    }
    CopyOut(sums, arguments.output<float>(0), arguments.output<float>(1));
    return absl::OkStatus();
  }

 private:
  [[nodiscard]] int64_t SumsOfBlock() const { return (taps_ + 1) * shape_.block; }
  [[nodiscard]] int64_t GradientsOfBlock() const {
    return shape_.out_h * shape_.out_w * shape_.block;
  }

  // The bias belongs to no input channel: it is summed with the first.
  // x is (C, H, W), dy is (blocks, OH, OW, block).
  void AddImage(const float* x, const float* dy, float* padded, float* sums) const {
    const int64_t taps_of_channel = shape_.kernel_h * shape_.kernel_w;
    for (int64_t c = 0; c < x_[1]; ++c) {
      Pad(x + c * x_[2] * x_[3], padded);
      for (int64_t b = 0; b < blocks_; ++b) {
        float* to = sums + b * SumsOfBlock();
        loops_.add_weight(shape_, padded, dy + b * GradientsOfBlock(),
                          to + c * taps_of_channel * shape_.block);
        if (c == 0) {
          loops_.add_bias(shape_, dy + b * GradientsOfBlock(), to + taps_ * shape_.block);
        }
      }
    }
  }

  // The padding was cleared at the start of the Run and is never written.
  // Copies one channel between the zeros that are its padding.
  void Pad(const float* x, float* padded) const {
    for (int64_t h = 0; h < x_[2]; ++h) {
      std::memcpy(padded + (window_.pad_top + h) * shape_.width + window_.pad_left, x + h * x_[3],
                  static_cast<size_t>(x_[3]) * sizeof(float));
    }
  }

  // The sums into the plain outputs.
  void CopyOut(const float* sums, float* dw, float* db) const {
    for (int64_t o = 0; o < dy_[1]; ++o) {
      const float* from = sums + o / shape_.block * SumsOfBlock() + o % shape_.block;
      for (int64_t t = 0; t < taps_; ++t) dw[o * taps_ + t] = from[t * shape_.block];
      if (db != nullptr) db[o] = from[taps_ * shape_.block];
    }
  }

  const FirstConvLoops& loops_;
  const Window2d window_;
  const Shape x_;
  const Shape dy_;
  FirstConvShape shape_{};
  int64_t blocks_ = 0;  // of dY's channels
  int64_t taps_ = 0;    // of all input channels
  int64_t padded_ = 0;  // floats of one padded channel
};

}  // namespace

// Blocked dY is what a first layer has where convolutions are blocked at all; anything else goes to
// oneDNN.
bool SupportsFirstConvGradWeight(const OpInstance& instance) {
  if (!CheckInstance(instance).ok()) return false;
  const TensorType& x = instance.inputs[0].type;
  return x.layout == Layout::kPlain && x.shape[1] <= kChannelsMax &&
         instance.attributes.Int("group", 1) == 1 &&
         ChannelBlock(instance.inputs[1].type.layout) > 1 &&
         instance.outputs[0].type.layout == Layout::kPlain;
}

absl::StatusOr<std::unique_ptr<Kernel>> MakeFirstConvGradWeight(const OpInstance& instance,
                                                                const KernelOptions& /*options*/) {
  return std::make_unique<FirstConvGradWeight>(instance);
}

}  // namespace rm::kernels::cpu
