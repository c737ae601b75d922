// What the transports of one process share: a lock, a bell, and a way to sleep until the bell rings.
#ifndef RM_COMM_TRANSPORT_SHM_HUB_H_
#define RM_COMM_TRANSPORT_SHM_HUB_H_

#include <memory>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "comm/transport/shm_doorbell.h"

namespace rm::comm {

// Thread-safe.
class ShmHub {
 public:
  explicit ShmHub(SharedDoorbell bell) : bell_(std::move(bell)) {}

  // Guards everything about the endpoint and its transports but the bytes in the rings.
  [[nodiscard]] base::Mutex& mutex() ABSL_LOCK_RETURNED(mutex_) { return mutex_; }

  // Peers ring it; a descriptor of it goes out with every hello and welcome.
  [[nodiscard]] const SharedDoorbell& shared_bell() const { return bell_; }

  // Makes everybody in WaitUntil look again.
  void Ring() { bell_.bell().Ring(); }

  // Waits until done() or the deadline; returns done(). done() is called with the mutex held, at
  // once and after every ring; the mutex is free while this sleeps.
  bool WaitUntil(absl::FunctionRef<bool()> done, absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

 private:
  base::Mutex mutex_;
  const SharedDoorbell bell_;
  SpinBudget spins_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_SHM_HUB_H_
