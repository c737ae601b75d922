// Moving elements from one strided order into another: what Transpose, Slice, Split, Expand, Concat
// and their gradients do.
//
// Loops that go on where the one inside them ends are made one; what then lies side by side on both
// ends is moved by memcpy, and two loops that run across each other by small square tiles, so that
// either side's cache lines are used up before they are gone.
#ifndef RM_KERNELS_CPU_STRIDED_COPY_H_
#define RM_KERNELS_CPU_STRIDED_COPY_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/api/strided_view.h"
#include "kernels/api/tensor.h"

namespace rm::kernels::cpu {

// Thread-compatible value; Run is const.
class StridedCopy {
 public:
  // y in plain order = x through `view`. `bytes` is the size of an element: 1, 4 or 8.
  [[nodiscard]] static StridedCopy Take(const StridedView& view, size_t bytes);
  // y through `view` = x in plain order.
  [[nodiscard]] static StridedCopy Put(const StridedView& view, size_t bytes);

  // x and y are the beginnings of whole tensors, which do not overlap.
  void Run(const void* x, void* y, int threads) const;

  // Loops left after joining, the innermost included; for tests.
  [[nodiscard]] size_t loops() const { return loops_.size(); }

 private:
  struct Loop {
    int64_t count, from, to;  // steps in elements of x and of y
  };

  // `from` and `to` have the same shape: where each element lies in x and in y.
  StridedCopy(const StridedView& from, const StridedView& to, size_t bytes);

  // Puts a loop that crosses the last one beside it, where there is one.
  void FindCrossing();
  // `count` turns of loop `level`, and all loops inside of it.
  void RunLevel(size_t level, int64_t count, const char* x, char* y) const;
  // The last loop, or the last two.
  template <typename Element>
  void RunInnermost(int64_t count, const char* x, char* y) const;

  std::vector<Loop> loops_;  // outermost first; never empty
  bool crossing_ = false;    // the last two run across each other
  bool empty_ = false;
  int64_t x_offset_;  // elements
  int64_t y_offset_;
  int64_t bytes_;  // an element
};

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_STRIDED_COPY_H_
