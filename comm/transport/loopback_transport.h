// A transport within one process, for tests: every rank is a thread, every edge a queue.
//
// It keeps the contract of Transport, damage and failure included, without a socket, and can be
// told to break an edge in a chosen way at a chosen frame, so that faults need no luck and no
// waiting.
#ifndef RM_COMM_TRANSPORT_LOOPBACK_TRANSPORT_H_
#define RM_COMM_TRANSPORT_LOOPBACK_TRANSPORT_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "comm/transport/transport.h"

namespace rm::comm {

enum class LoopbackFaultKind {
  kDrop,     // the frame vanishes
  kCorrupt,  // one bit of its payload flips (a frame without payload: its CRC)
  kCut,      // the edge breaks instead of carrying it
  kHold,     // it and all after it stay on the way until ReleaseHeld
};

// What happens to data frame number `frame` (from 0) of the edge `from` → `to` of a generation.
struct LoopbackFault {
  LoopbackFaultKind kind = LoopbackFaultKind::kDrop;
  int64_t generation = 0;
  int from = 0;
  int to = 0;
  uint64_t frame = 0;
};

// The wire that endpoints share. Thread-safe; outlives its endpoints.
class LoopbackNetwork {
 public:
  LoopbackNetwork();
  ~LoopbackNetwork();

  // An endpoint at a new address ("loopback:3").
  [[nodiscard]] std::unique_ptr<TransportEndpoint> Open();

  // Adds a fault. Call before the frame is sent.
  void Inject(const LoopbackFault& fault);

  // Lets every held frame go, and holds no more.
  void ReleaseHeld();

  // The one that the transport table's "loopback" uses. Lives for ever.
  [[nodiscard]] static LoopbackNetwork& Default();

  class State;  // private to the implementation

 private:
  std::unique_ptr<State> state_;
};

// An endpoint on the default network; the options' hosts are not used.
[[nodiscard]] absl::StatusOr<std::unique_ptr<TransportEndpoint>> OpenLoopbackEndpoint(
    const TransportOptions& options);

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_LOOPBACK_TRANSPORT_H_
