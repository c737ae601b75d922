// The shared-memory transport's listening side: the table's "shm", for gangs all of whose ranks are
// on one machine.
//
// Peers find it at an abstract unix socket ("shm:…", shm_socket.h). A thread of the endpoint, which
// sleeps unless somebody speaks, answers callers and listens to the lines of its transports' edges:
// it is the exception to the rule that a transport has no thread, because nobody can sleep on a word
// of memory and on a socket at once.
#ifndef RM_COMM_TRANSPORT_SHM_ENDPOINT_H_
#define RM_COMM_TRANSPORT_SHM_ENDPOINT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "comm/transport/transport.h"

namespace rm::comm {

// An endpoint at a new address; the options' hosts are not used. Unavailable where the system has no
// memfd or no unix sockets.
[[nodiscard]] absl::StatusOr<std::unique_ptr<TransportEndpoint>> OpenShmEndpoint(
    const TransportOptions& options);

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_SHM_ENDPOINT_H_
