// Zeroed memory at an aligned address, for the life of a program.
#ifndef RM_RUNTIME_GRAPH_ALIGNED_MEMORY_H_
#define RM_RUNTIME_GRAPH_ALIGNED_MEMORY_H_

#include <cstddef>
#include <cstdlib>
#include <memory>

#include "absl/status/statusor.h"

namespace rm::graph {

// Owns the memory. Movable; thread-compatible. Large blocks ask for huge pages: a step of training
// walks through all of its memory, and misses of the address cache cost it some percent.
class AlignedMemory {
 public:
  // No memory: data() is nullptr.
  AlignedMemory() = default;

  // `bytes` zeros, aligned to 64 bytes at least. Every page is touched, so that a step of training
  // does not pay for it. ResourceExhausted when the machine has less, or the system
  // refuses.
  [[nodiscard]] static absl::StatusOr<AlignedMemory> Allocate(size_t bytes);

  [[nodiscard]] char* data() const { return data_.get(); }

 private:
  struct Free {
    void operator()(char* data) const { std::free(data); }
  };
  std::unique_ptr<char, Free> data_;
};

}  // namespace rm::graph

#endif  // RM_RUNTIME_GRAPH_ALIGNED_MEMORY_H_
