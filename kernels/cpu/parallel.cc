#include "kernels/cpu/parallel.h"

#include <algorithm>

// The entry points of libgomp, oneDNN's thread pool, that `#pragma omp parallel` compiles to.
// Calling them needs no OpenMP of the compiler, so g++ and clang build the same program.
extern "C" {
void GOMP_parallel(void (*function)(void*), void* data, unsigned threads, unsigned flags);
int omp_get_thread_num();
void omp_set_num_threads(int threads);
}

namespace rm::kernels::cpu {
namespace {

// The loop as libgomp's threads see it: one pointer.
struct Loop {
  absl::FunctionRef<void(int64_t begin, int64_t end)> body;
  int64_t count;
  int64_t parts;
  int64_t step;
};

// The part of the calling thread.
void RunPart(void* data) {
  const auto* loop = static_cast<const Loop*>(data);
  const int64_t part = omp_get_thread_num();
  const int64_t begin = std::min(loop->count, part * loop->step);
  const int64_t end = part + 1 == loop->parts ? loop->count : begin + loop->step;
  if (begin < end) loop->body(begin, std::min(end, loop->count));
}

}  // namespace

void UseThreads(int threads) { omp_set_num_threads(threads); }

// Static and even: the loops here take as long for one part as for another of equal size.
void ParallelFor(int threads, int64_t count, int64_t grain,
                 absl::FunctionRef<void(int64_t begin, int64_t end)> body) {
  const int64_t parts = std::min<int64_t>(threads, count / grain);
  if (parts <= 1) {
    if (count > 0) body(0, count);
    return;
  }
  const int64_t share = count / parts;
  Loop loop{body, count, parts, (share + grain - 1) / grain * grain};
  GOMP_parallel(&RunPart, &loop, static_cast<unsigned>(parts), 0);
}

}  // namespace rm::kernels::cpu
