#include "comm/collective/ring_testing.h"

#include <memory>
#include <string>
#include <thread>

#include "base/check.h"
#include "comm/transport/loopback_transport.h"

namespace rm::comm {

std::vector<absl::Status> RunRing(int world_size,
                                  const std::function<absl::Status(RingEdges& ring)>& body) {
  LoopbackNetwork network;
  std::vector<std::unique_ptr<TransportEndpoint>> endpoints;
  TransportMembership membership;
  membership.job = "ring";
  for (int rank = 0; rank < world_size; ++rank) {
    endpoints.push_back(network.Open());
    membership.addresses.push_back(endpoints.back()->address());
  }
  std::vector<absl::Status> outcomes(endpoints.size());
  std::vector<std::thread> threads;
  for (int rank = 0; rank < world_size; ++rank) {
    membership.rank = rank;
    membership.send_to = {(rank + 1) % world_size};
    membership.receive_from = {(rank + world_size - 1) % world_size};
    auto transport = endpoints[static_cast<size_t>(rank)]->Connect(membership);
    RM_CHECK(transport.ok(), transport.status().ToString());
    threads.emplace_back([&body, &outcome = outcomes[static_cast<size_t>(rank)],
                          own = *std::move(transport)]() mutable {
      RingEdges ring(*own);
      outcome = body(ring);
      own.reset();
    });
  }
  for (std::thread& thread : threads) thread.join();
  return outcomes;
}

}  // namespace rm::comm
