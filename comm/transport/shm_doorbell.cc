#include "comm/transport/shm_doorbell.h"

#include <immintrin.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <new>
#include <utility>

#include "absl/time/clock.h"
#include "base/status.h"

namespace rm::comm {
namespace {

static_assert(std::atomic<uint32_t>::is_always_lock_free, "a lock would be of one process only");
static_assert(sizeof(std::atomic<uint32_t>) == sizeof(uint32_t), "the kernel reads 32 bits");

// Not the private form: the word is found by what is mapped, not by its address.
void FutexWait(std::atomic<uint32_t>& word, uint32_t seen, const timespec* patience) {
  ::syscall(SYS_futex, &word, FUTEX_WAIT, seen, patience, nullptr, 0);
}

void FutexWakeAll(std::atomic<uint32_t>& word) {
  ::syscall(SYS_futex, &word, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace

// Either this sees the sleeper, or the kernel sees the ring before it lets the sleeper sleep: both
// count up first and look second, in one order for all.
void Doorbell::Ring() {
  rings_.fetch_add(1);
  if (sleepers_.load() > 0) FutexWakeAll(rings_);
}

bool Doorbell::Wait(uint32_t seen, absl::Time deadline, int spins) {
  for (int i = 0; i < spins; ++i) {
    if (rings_.load() != seen) return true;
    _mm_pause();
  }
  timespec patience = {};
  const bool forever = deadline == absl::InfiniteFuture();
  if (!forever) {
    patience = absl::ToTimespec(std::max(deadline - absl::Now(), absl::ZeroDuration()));
  }
  sleepers_.fetch_add(1);
  FutexWait(rings_, seen, forever ? nullptr : &patience);
  sleepers_.fetch_sub(1);
  return false;
}

// Now and then also where it did not help of late: times change.
int SpinBudget::Next() {
  constexpr int kEvery = 16;
  if (++waits_ % kEvery == 0) spins_ = std::max(spins_, most_ / 4);
  return spins_;
}

void SpinBudget::Learn(bool was_enough) {
  spins_ = was_enough ? std::min(most_, 2 * spins_ + 1) : spins_ / 2;
}

absl::StatusOr<SharedDoorbell> SharedDoorbell::Create() {
  RM_ASSIGN_OR_RETURN(ShmMemory memory, ShmMemory::Create(kShmPageBytes, 0));
  new (memory.head()) Doorbell;
  return SharedDoorbell(std::move(memory));
}

absl::StatusOr<SharedDoorbell> SharedDoorbell::Adopt(Descriptor fd) {
  RM_ASSIGN_OR_RETURN(ShmMemory memory, ShmMemory::Adopt(std::move(fd), kShmPageBytes, 0));
  return SharedDoorbell(std::move(memory));
}

}  // namespace rm::comm
