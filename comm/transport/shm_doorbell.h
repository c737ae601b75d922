// How a process that shares memory with others sleeps until one of them has done something.
//
// Every rank has one bell. Whoever changes something that the rank may wait for (bytes in a ring,
// room in one, an abort) rings it. The rank remembers how often it has rung, looks at everything,
// and sleeps until it has rung again:
//
//   while (true) {
//     const uint32_t seen = bell.rings();
//     if (LookAtEverything()) break;
//     bell.Wait(seen, deadline);
//   }
//
// Nothing is missed: a ring between the look and the sleep ends the sleep at once. Ringing costs no
// system call while nobody sleeps.
//
// Memory order: what was stored before Ring is seen by whoever sees the ring.
#ifndef RM_COMM_TRANSPORT_SHM_DOORBELL_H_
#define RM_COMM_TRANSPORT_SHM_DOORBELL_H_

#include <atomic>
#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "comm/transport/shm_memory.h"

namespace rm::comm {

// Lies in shared memory; all bytes zero is a bell that has never rung. Thread-safe, across
// processes: any of them may die at any point, and the others' bells go on.
class Doorbell {
 public:
  [[nodiscard]] uint32_t rings() const { return rings_.load(); }

  void Ring();

  // Returns when the bell has rung since it had rung `seen` times, when the deadline has passed, or
  // for no reason. First looks `spins` times (about 50 ns each) without a system call; true when
  // that was enough.
  bool Wait(uint32_t seen, absl::Time deadline, int spins = 0);

 private:
  std::atomic<uint32_t> rings_{0};    // the futex
  std::atomic<uint32_t> sleepers_{0};
};

// How long to look before sleeping: a little while where that often helped, hardly at all where not.
// On a machine whose cores all compute, a rank that spins takes time from the one it waits for.
class SpinBudget {
 public:
  // `most`: looks in one wait. The default, about 3 µs, is less than a sleep and a wake-up cost.
  explicit SpinBudget(int most = 64) : most_(most), spins_(most) {}

  // How often to look in the next wait.
  [[nodiscard]] int Next();
  // What came of it.
  void Learn(bool was_enough);

 private:
  int most_;
  int spins_;
  int waits_ = 0;
};

// A bell in memory of its own, or a peer's.
class SharedDoorbell {
 public:
  [[nodiscard]] static absl::StatusOr<SharedDoorbell> Create();
  [[nodiscard]] static absl::StatusOr<SharedDoorbell> Adopt(Descriptor fd);

  [[nodiscard]] Doorbell& bell() const { return *reinterpret_cast<Doorbell*>(memory_.head()); }
  [[nodiscard]] int fd() const { return memory_.fd(); }

 private:
  explicit SharedDoorbell(ShmMemory memory) : memory_(std::move(memory)) {}
  ShmMemory memory_;
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_SHM_DOORBELL_H_
