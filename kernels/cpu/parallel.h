// Threads: a loop cut into contiguous parts, one a thread, and the setting that oneDNN reads.
#ifndef RM_KERNELS_CPU_PARALLEL_H_
#define RM_KERNELS_CPU_PARALLEL_H_

#include <cstdint>

#include "absl/functional/function_ref.h"

namespace rm::kernels::cpu {

// oneDNN takes its number of threads from OpenMP's setting of the calling thread; this sets it. To
// be called before a primitive is made and before it runs. Costs nanoseconds.
void UseThreads(int threads);

// Calls body(begin, end) for parts that together cover [0, count) once, each on a thread of
// OpenMP's pool (oneDNN's too), and returns when all have ended. All parts but the last are
// multiples of `grain` elements; a range too short for that uses fewer threads. With one thread,
// body is simply called. How the range is cut depends on the three numbers only. REQUIRES: threads
// ≥ 1, count ≥ 0, grain ≥ 1; body is thread-safe when threads > 1.
void ParallelFor(int threads, int64_t count, int64_t grain,
                 absl::FunctionRef<void(int64_t begin, int64_t end)> body);

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_PARALLEL_H_
