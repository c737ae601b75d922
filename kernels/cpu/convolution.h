// What Conv and its two gradients share: geometry in oneDNN's terms and the choice of layouts.
#ifndef RM_KERNELS_CPU_CONVOLUTION_H_
#define RM_KERNELS_CPU_CONVOLUTION_H_

#include "kernels/api/kernel.h"
#include "kernels/cpu/onednn.h"

namespace rm::kernels::cpu {

// The types of a convolution's tensors, whichever of them the op computes.
struct ConvTypes {
  TensorType x;
  TensorType w;  // always plain (O, C / group, KH, KW)
  TensorType y;
  bool bias;
};

// Plain weights in oneDNN's dimensions: (group, O / group, C / group, KH, KW) when group > 1.
// Throws.
[[nodiscard]] Desc DescribeWeights(const ConvTypes& types, int64_t group);

// The geometry, with x and y as they lie in memory and w in a format of oneDNN's choice, bfloat16 where
// x is. With
// `any_layouts`, x and y are in formats of its choice too. Throws.
[[nodiscard]] Convolution MakeConvolution(const ConvTypes& types, const Attributes& attributes,
                                          bool any_layouts);

// True when oneDNN can take this convolution or pool: legal, in bfloat16 where the CPU has that, no
// dimension of 0.
[[nodiscard]] bool OneDnnTakes(const OpInstance& instance);

// The layout in which a convolution's image of `channels` channels in `group` groups is fastest:
// channels in blocks as wide as a vector; plain where there are at most three (oneDNN has code of
// its own for such first layers), or where groups do not fill whole blocks.
[[nodiscard]] Layout ConvLayout(int64_t channels, int64_t group);

// Chooses with Describe(convolution) → description among the layouts as they are and, where oneDNN
// has only slow code for these, the formats it likes (the kernel then reorders). Throws.
template <typename DescribeFunction>
[[nodiscard]] auto DescribeFast(const ConvTypes& types, const Attributes& attributes,
                                const DescribeFunction& describe) {
  auto description = describe(MakeConvolution(types, attributes, false));
  if (!IsSlow(description)) return description;
  return describe(MakeConvolution(types, attributes, true));
}

// True when OneDnnTakes this convolution and, in bfloat16, has more than slow code for it: where it has
// not, float32 between two casts is faster (kernels/cpu/bfloat16.cc).
template <typename DescribeFunction>
[[nodiscard]] bool OneDnnConvolves(const OpInstance& instance, const ConvTypes& types,
                                   const DescribeFunction& describe) {
  if (!OneDnnTakes(instance) || types.w.layout != Layout::kPlain) return false;
  if (types.x.dtype != DType::kBfloat16) return true;
  bool slow = true;
  const absl::Status status = CatchOneDnn("describe " + instance.ToString(), [&] {
    slow = IsSlow(DescribeFast(types, instance.attributes, describe));
  });
  return status.ok() && !slow;
}

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_CONVOLUTION_H_
