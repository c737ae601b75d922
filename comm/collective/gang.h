// How a rank joins its gang: listen, learn the peers' addresses, connect, get a Communicator.
//
//   RM_ASSIGN_OR_RETURN(auto endpoint, OpenEndpoint({transport, listen_host, advertise_host}));
//   … report endpoint->address() to the coordinator, receive the peers' addresses …
//   RM_ASSIGN_OR_RETURN(auto communicator, endpoint->Join(membership));
//
// The endpoint lives as long as the rank process, through any number of generations.
#ifndef RM_COMM_COLLECTIVE_GANG_H_
#define RM_COMM_COLLECTIVE_GANG_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "comm/collective/communicator.h"

namespace rm::comm {

struct EndpointOptions {
  std::string transport = "grpc";         // a name of the transport table: auto, grpc, shm, tcp
  std::string listen_host = "127.0.0.1";  // port is chosen by the system
  std::string advertise_host;             // what peers dial; empty: listen_host
};

// One membership of a gang.
struct Membership {
  std::string job;
  int64_t generation = 0;
  int rank = 0;
  std::vector<std::string> peers;  // address of every rank, own included; size = world size
  absl::Duration join_timeout = absl::Seconds(30);
  CollectiveCounters* counters = nullptr;  // if set, counts there; outlives the communicator
};

// Thread-compatible.
class Endpoint {
 public:
  virtual ~Endpoint() = default;

  // "127.0.0.1:41234": what peers dial.
  [[nodiscard]] virtual const std::string& address() const = 0;

  // What the edges of the latest Join go by: "grpc", "shm", "tcp", or two as "grpc+shm"; empty before, and in
  // a gang of one.
  [[nodiscard]] virtual const std::string& transport() const = 0;

  // Connects to the peers of this membership and returns when all edges stand, on all ranks, or
  // DeadlineExceeded naming the peers that did not come. Frames of any other (job, generation) are
  // refused; a rank that comes with an old generation gets FailedPrecondition. An older
  // communicator of this endpoint may still exist (its buckets stay valid): joining fails it.
  // The endpoint outlives the communicator.
  [[nodiscard]] virtual absl::StatusOr<std::unique_ptr<Communicator>> Join(
      const Membership& membership) = 0;
};

// Listens at a free port. InvalidArgument for an unknown transport (the message lists the known
// ones), Unavailable when the host cannot be listened on.
[[nodiscard]] absl::StatusOr<std::unique_ptr<Endpoint>> OpenEndpoint(
    const EndpointOptions& options);

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_GANG_H_
