// The communicator of a gang of two ranks or more: a thread that runs the started operations in
// order over a transport, while the caller's thread computes.
//
// Ranks that read each other's memory (direct_collectives.h) need the thread only for what is large:
// the rest is done by the caller while it waits.
//
// The same thread serves the transport while nothing is started, so that an abort is passed on at
// once, also by a rank that is computing.
#ifndef RM_COMM_COLLECTIVE_GANG_COMMUNICATOR_H_
#define RM_COMM_COLLECTIVE_GANG_COMMUNICATOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "comm/collective/communicator.h"
#include "comm/transport/transport.h"

namespace rm::comm {

// Takes a transport whose edges stand (ring: to the next rank, from the previous one) and starts
// the thread. `direct`: all ranks of the gang have agreed to read each other's memory. Counts into
// `counters`, which outlives the communicator, unless it is null. ResourceExhausted or Unavailable
// when there is no memory to share.
// REQUIRES: transport->world_size() ≥ 2; if direct, transport->windows() are of the whole gang.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Communicator>> MakeGangCommunicator(
    std::unique_ptr<Transport> transport, bool direct, CollectiveCounters* counters);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_GANG_COMMUNICATOR_H_
