// Rings of bare transports in one process, for tests of single collectives.
#ifndef RM_COMM_COLLECTIVE_RING_TESTING_H_
#define RM_COMM_COLLECTIVE_RING_TESTING_H_

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "comm/collective/ring_edges.h"

namespace rm::comm {

// Runs `body` on every rank of a ring over a loopback network of its own, each in its own thread,
// and leaves together. What each returned.
std::vector<absl::Status> RunRing(int world_size,
                                  const std::function<absl::Status(RingEdges& ring)>& body);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_RING_TESTING_H_
