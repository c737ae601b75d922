#include "comm/transport/shm_hub.h"

#include "absl/time/clock.h"

namespace rm::comm {

bool ShmHub::WaitUntil(absl::FunctionRef<bool()> done, absl::Time deadline) {
  while (true) {
    const uint32_t seen = bell_.bell().rings();
    if (done()) return true;
    if (deadline != absl::InfiniteFuture() && absl::Now() >= deadline) return false;
    const int spins = spins_.Next();
    mutex_.Unlock();
    const bool was_enough = bell_.bell().Wait(seen, deadline, spins);
    mutex_.Lock();
    spins_.Learn(was_enough);
  }
}

}  // namespace rm::comm
