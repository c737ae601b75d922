// Reorder(X) → Y: the same image in another layout.
#include <cstring>

#include "kernels/ref/image.h"
#include "kernels/ref/ops.h"

namespace rm::kernels::ref {
namespace {

// Where the element (n, c, h, w) lies in memory.
int64_t Offset(const Image& image, Layout layout, int64_t n, int64_t c, int64_t h, int64_t w) {
  const int64_t block = ChannelBlock(layout);
  const int64_t blocks = (image.c + block - 1) / block;
  switch (layout) {
    case Layout::kPlain: return image.At(n, c, h, w);
    case Layout::kChannelsLast: return ((n * image.h + h) * image.w + w) * image.c + c;
    case Layout::kChannels8:
    case Layout::kChannels16: break;
  }
  return (((n * blocks + c / block) * image.h + h) * image.w + w) * block + c % block;
}

// Element by element through the logical index; the padding of a blocked target is zeroed first.
class Reorder final : public Kernel {
 public:
  explicit Reorder(const OpInstance& op)
      : from_(op.inputs[0].type), to_(op.outputs[0].type), element_(ByteSize(from_.dtype)) {}

  absl::Status Run(const Arguments& arguments) override {
    const auto* x = arguments.input<char>(0);
    auto* y = arguments.output<char>(0);
    // One layout on both sides: padding included, the bytes are the same.
    if (from_.layout == to_.layout) {
      if (from_.bytes() > 0) std::memcpy(y, x, from_.bytes());
      return absl::OkStatus();
    }
    std::memset(y, 0, to_.bytes());  // the padding stays zero
    const Image image(from_.shape);
    for (int64_t n = 0; n < image.n; ++n) {
      for (int64_t c = 0; c < image.c; ++c) {
        for (int64_t h = 0; h < image.h; ++h) {
          for (int64_t w = 0; w < image.w; ++w) {
            std::memcpy(y + ByteOffset(image, to_.layout, n, c, h, w),
                        x + ByteOffset(image, from_.layout, n, c, h, w), element_);
          }
        }
      }
    }
    return absl::OkStatus();
  }

 private:
  [[nodiscard]] int64_t ByteOffset(const Image& image, Layout layout, int64_t n, int64_t c,
                                   int64_t h, int64_t w) const {
    return Offset(image, layout, n, c, h, w) * static_cast<int64_t>(element_);
  }

  const TensorType from_, to_;
  // Elements are moved as bytes, so that one kernel serves every dtype.
  const size_t element_;  // bytes
};

}  // namespace

absl::StatusOr<std::unique_ptr<Kernel>> MakeReorder(const OpInstance& instance,
                                                    const KernelOptions& /*options*/) {
  return std::make_unique<Reorder>(instance);
}

}  // namespace rm::kernels::ref
