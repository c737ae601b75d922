// ONNX broadcasting as few loops as possible: over runs of elements that lie side by side.
//
//   const BroadcastWalk walk(y_shape, {a_shape, b_shape});
//   walk.For(0, walk.runs(), [&](int64_t y, const int64_t* at) {
//     for (int64_t i = 0; i < walk.run(); ++i)
//       out[y + i] = f(a[at[0] + (walk.repeats(0) ? 0 : i)], b[at[1] + (walk.repeats(1) ? 0 : i)]);
//   });
//
// (B, T, C) + (C) are B·T runs of C elements; (N, C, H, W) · (C, 1, 1) are N·C runs of H·W
// elements, in each of which the right operand is one number; equal shapes are one run.
#ifndef RM_KERNELS_CPU_BROADCAST_WALK_H_
#define RM_KERNELS_CPU_BROADCAST_WALK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/api/tensor.h"

namespace rm::kernels::cpu {

// Thread-compatible value; For is const and may run on several threads at once.
class BroadcastWalk {
 public:
  static constexpr size_t kMostOperands = 3;

  // REQUIRES: at most kMostOperands shapes, all of which broadcast to `output`.
  BroadcastWalk(const Shape& output, const std::vector<Shape>& operands);

  // Elements of one run; 0 when the output is empty.
  [[nodiscard]] int64_t run() const { return run_; }
  [[nodiscard]] int64_t runs() const { return runs_; }
  // Operand `k` is one number throughout a run; else it lies side by side, too.
  [[nodiscard]] bool repeats(size_t k) const { return repeats_[k]; }

  // Calls body(y, at) for the runs [begin, end): where the run begins in the output and in each of
  // the operands, in elements.
  template <typename Body>
  void For(int64_t begin, int64_t end, const Body& body) const {
    std::array<int64_t, kMostOperands> at{};
    for (int64_t i = begin; i < end; ++i) {
      Locate(i, at.data());
      body(i * run_, at.data());
    }
  }

 private:
  // One loop outside of the run.
  struct Loop {
    int64_t count;
    std::array<int64_t, kMostOperands> strides;
  };

  void Locate(int64_t i, int64_t* at) const;

  std::vector<Loop> loops_;  // outermost first
  size_t operands_;
  int64_t run_ = 1;
  int64_t runs_ = 1;
  std::array<bool, kMostOperands> repeats_{};
};

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_BROADCAST_WALK_H_
