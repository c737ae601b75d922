// The communicator of a gang of two ranks or more: a thread that runs the started operations in
// order over a transport, while the caller's thread computes.
//
// The same thread serves the transport while nothing is started, so that an abort is passed on at
// once, also by a rank that is computing.
#ifndef RM_COMM_COLLECTIVE_GANG_COMMUNICATOR_H_
#define RM_COMM_COLLECTIVE_GANG_COMMUNICATOR_H_

#include <memory>

#include "comm/collective/communicator.h"
#include "comm/transport/transport.h"

namespace rm::comm {

// Takes a transport whose edges stand (ring: to the next rank, from the previous one) and starts
// the thread. Counts into `counters`, which outlives the communicator, unless it is null.
// REQUIRES: transport->world_size() ≥ 2.
[[nodiscard]] std::unique_ptr<Communicator> MakeGangCommunicator(
    std::unique_ptr<Transport> transport, CollectiveCounters* counters = nullptr);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_GANG_COMMUNICATOR_H_
