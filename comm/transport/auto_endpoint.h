// The table's "auto": each edge goes the best way there is. Ranks that may share memory use it; the
// others use gRPC. A ring over two machines so has edges of both kinds.
//
// Whether two ranks may share memory is tried, not guessed: names of hosts say nothing (containers
// share them, and share a host without). Each asks at the other's unix socket, which is there only
// for processes of the same machine and network namespace, and whether both see the other as their
// own user. The answer is the same from both sides, so both ends of an edge choose alike. Should they
// not (a rank without free descriptors), they do not meet, and the join says who was missing.
//
// Addresses are "HOST:PORT+shm:…"; one without the second part, or with that of another machine, is
// reached by gRPC.
#ifndef RM_COMM_TRANSPORT_AUTO_ENDPOINT_H_
#define RM_COMM_TRANSPORT_AUTO_ENDPOINT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "comm/transport/transport.h"

namespace rm::comm {

// Listens both ways; for gRPC only, with a line in the log, where the system has no shared memory.
// Errors as OpenGrpcEndpoint. Connect blocks for a second at most for each peer that does not answer.
[[nodiscard]] absl::StatusOr<std::unique_ptr<TransportEndpoint>> OpenAutoEndpoint(
    const TransportOptions& options);

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_AUTO_ENDPOINT_H_
