// Non-blocking TCP sockets, as the tcp transport uses them.
#ifndef RM_COMM_TRANSPORT_TCP_SOCKET_H_
#define RM_COMM_TRANSPORT_TCP_SOCKET_H_

#include <sys/uio.h>

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "comm/transport/descriptor.h"

namespace rm::comm {

// A listening socket and its port, which the system chooses. Unavailable when the host cannot be
// listened on.
struct TcpListener {
  Descriptor socket;
  int port = 0;
};
[[nodiscard]] absl::StatusOr<TcpListener> ListenTcp(const std::string& host);

// The next caller, or none now (nullopt). ResourceExhausted without a descriptor left.
[[nodiscard]] absl::StatusOr<absl::optional<Descriptor>> AcceptTcp(int listening);

// A socket that is connecting to "host:port"; whether it comes about, the first write or read says.
// Unavailable for an address that names nobody. Looks a name up, which may take its time.
[[nodiscard]] absl::StatusOr<Descriptor> ConnectTcp(const std::string& address);

// Bytes written or read now: 0 when it would have to wait. Unavailable when the connection is broken;
// reading says OutOfRange at its end.
[[nodiscard]] absl::StatusOr<size_t> WriteTcp(int socket, absl::Span<const iovec> pieces);
[[nodiscard]] absl::StatusOr<size_t> ReadTcp(int socket, char* to, size_t bytes);

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_TCP_SOCKET_H_
