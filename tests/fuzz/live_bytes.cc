#include "tests/fuzz/live_bytes.h"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace rm::fuzz {
namespace {

// Atomic: a library may allocate on a thread of its own.
std::atomic<int64_t> live{0};
std::atomic<int64_t> peak{0};

void Count(int64_t bytes) {
  const int64_t now = live.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (now > peak.load(std::memory_order_relaxed)) peak.store(now, std::memory_order_relaxed);
}

void* Allocate(size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();  // more than the machine has: a length was believed
  Count(static_cast<int64_t>(::malloc_usable_size(memory)));
  return memory;
}

void Release(void* memory) {
  if (memory == nullptr) return;
  Count(-static_cast<int64_t>(::malloc_usable_size(memory)));
  std::free(memory);
}

}  // namespace

void StartCounting() {
  live = 0;
  peak = 0;
}

int64_t PeakBytes() { return peak; }

}  // namespace rm::fuzz

// The aligned forms stay the library's: no parser of ours uses them.
void* operator new(size_t size) { return rm::fuzz::Allocate(size); }
void* operator new[](size_t size) { return rm::fuzz::Allocate(size); }
void* operator new(size_t size, const std::nothrow_t&) noexcept { return rm::fuzz::Allocate(size); }
void* operator new[](size_t size, const std::nothrow_t&) noexcept {
  return rm::fuzz::Allocate(size);
}
void operator delete(void* memory) noexcept { rm::fuzz::Release(memory); }
void operator delete[](void* memory) noexcept { rm::fuzz::Release(memory); }
void operator delete(void* memory, size_t) noexcept { rm::fuzz::Release(memory); }
void operator delete[](void* memory, size_t) noexcept { rm::fuzz::Release(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { rm::fuzz::Release(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { rm::fuzz::Release(memory); }
