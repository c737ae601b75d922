#include "kernels/cpu/strided_copy.h"

#include <algorithm>
#include <cstring>

#include "kernels/cpu/parallel.h"

namespace rm::kernels::cpu {
namespace {

constexpr int64_t kGrainBytes = 65536;  // below which a second thread costs more than it gives
constexpr int64_t kTile = 16;           // rows and columns: a cache line of floats each

StridedView Plain(const Shape& shape) { return {shape, PlainStrides(shape), 0}; }

}  // namespace

StridedCopy StridedCopy::Take(const StridedView& view, size_t bytes) {
  return StridedCopy(view, Plain(view.shape), bytes);
}

StridedCopy StridedCopy::Put(const StridedView& view, size_t bytes) {
  return StridedCopy(Plain(view.shape), view, bytes);
}

// Axes from the last to the first: one of a single element is no loop, one that goes on where the
// loop inside of it ends, on both sides, is a longer turn of that loop.
StridedCopy::StridedCopy(const StridedView& from, const StridedView& to, size_t bytes)
    : x_offset_(from.offset), y_offset_(to.offset), bytes_(static_cast<int64_t>(bytes)) {
  for (size_t axis = from.shape.size(); axis-- > 0;) {
    const Loop loop{from.shape[axis], from.strides[axis], to.strides[axis]};
    empty_ = empty_ || loop.count == 0;
    if (loop.count == 1) continue;
    const bool goes_on = !loops_.empty() &&
                         loop.from == loops_.front().from * loops_.front().count &&
                         loop.to == loops_.front().to * loops_.front().count;
    if (goes_on) {
      loops_.front().count *= loop.count;
    } else {
      loops_.insert(loops_.begin(), loop);
    }
  }
  if (loops_.empty()) loops_.push_back({1, 1, 1});
  FindCrossing();
}

// The last loop runs side by side in y but not in x, or the other way round; a loop for which it is
// the opposite makes a matrix with it that is transposed.
void StridedCopy::FindCrossing() {
  const Loop& last = loops_.back();
  if ((last.from == 1) == (last.to == 1)) return;
  for (size_t i = 0; i + 1 < loops_.size(); ++i) {
    const Loop loop = loops_[i];
    if (last.to == 1 ? loop.from != 1 : loop.to != 1) continue;
    loops_.erase(loops_.begin() + static_cast<int64_t>(i));
    loops_.insert(loops_.end() - 1, loop);
    crossing_ = true;
    return;
  }
}

void StridedCopy::Run(const void* x, void* y, int threads) const {
  if (empty_) return;
  const char* from = static_cast<const char*>(x) + x_offset_ * bytes_;
  char* to = static_cast<char*>(y) + y_offset_ * bytes_;
  // The outermost loop is shared out; how many bytes lie inside of one of its turns says how.
  int64_t inside = bytes_;
  for (size_t i = 1; i < loops_.size(); ++i) inside *= loops_[i].count;
  const Loop& outer = loops_.front();
  const int64_t grain = std::max<int64_t>(kGrainBytes / inside, 1);
  ParallelFor(threads, outer.count, grain, [&](int64_t begin, int64_t end) {
    RunLevel(0, end - begin, from + begin * outer.from * bytes_, to + begin * outer.to * bytes_);
  });
}

void StridedCopy::RunLevel(size_t level, int64_t count, const char* x, char* y) const {
  const size_t innermost = crossing_ ? 2 : 1;
  if (level + innermost < loops_.size()) {
    const Loop& loop = loops_[level];
    for (int64_t i = 0; i < count; ++i) {
      RunLevel(level + 1, loops_[level + 1].count, x + i * loop.from * bytes_,
               y + i * loop.to * bytes_);
    }
    return;
  }
  switch (bytes_) {
    case 8: return RunInnermost<uint64_t>(count, x, y);
    case 4: return RunInnermost<uint32_t>(count, x, y);
    default: return RunInnermost<uint8_t>(count, x, y);
  }
}

template <typename Element>
void StridedCopy::RunInnermost(int64_t count, const char* x, char* y) const {
  const auto* from = reinterpret_cast<const Element*>(x);
  auto* to = reinterpret_cast<Element*>(y);
  const Loop& last = loops_.back();
  if (!crossing_) {
    if (last.from == 1 && last.to == 1) {
      std::memcpy(to, from, static_cast<size_t>(count) * sizeof(Element));
      return;
    }
    for (int64_t i = 0; i < count; ++i) to[i * last.to] = from[i * last.from];
    return;
  }
  const Loop& other = loops_[loops_.size() - 2];
  for (int64_t i = 0; i < count; i += kTile) {
    for (int64_t j = 0; j < last.count; j += kTile) {
      const int64_t i_end = std::min(i + kTile, count);
      const int64_t j_end = std::min(j + kTile, last.count);
      for (int64_t row = i; row < i_end; ++row) {
        for (int64_t column = j; column < j_end; ++column) {
          to[row * other.to + column * last.to] = from[row * other.from + column * last.from];
        }
      }
    }
  }
}

}  // namespace rm::kernels::cpu
