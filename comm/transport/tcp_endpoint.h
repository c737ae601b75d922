// The tcp transport's listening side: the table's "tcp", for networks on which everybody is trusted.
//
// There is neither encryption nor a proof of who calls: a caller has to know the job's id and its
// generation, as with the other transports, and that is all.
#ifndef RM_COMM_TRANSPORT_TCP_ENDPOINT_H_
#define RM_COMM_TRANSPORT_TCP_ENDPOINT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "comm/transport/transport.h"

namespace rm::comm {

// Listens at a free port of options.listen_host. Unavailable when it cannot be listened on.
[[nodiscard]] absl::StatusOr<std::unique_ptr<TransportEndpoint>> OpenTcpEndpoint(
    const TransportOptions& options);

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_TCP_ENDPOINT_H_
