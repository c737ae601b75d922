// The sockets over which ranks of one machine meet: packets with descriptors beside them.
//
// Unix sockets of whole packets (SOCK_SEQPACKET) with abstract names: there is no file, so nothing
// stays behind, and the name is free again as soon as its process is gone. Such a name is seen only
// within the machine, and there only within one network namespace. Anybody on the machine may
// connect: who is at the other end is asked of the kernel.
#ifndef RM_COMM_TRANSPORT_SHM_SOCKET_H_
#define RM_COMM_TRANSPORT_SHM_SOCKET_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "comm/transport/descriptor.h"

namespace rm::comm {

// The bytes and the descriptors of a packet; more is cut off and makes the packet damaged.
constexpr size_t kPacketBytesMax = 8192;
constexpr size_t kPacketDescriptorsMax = 2;

struct Packet {
  std::string bytes;
  std::vector<Descriptor> descriptors;
};

// A listening socket. Unavailable when the name is taken.
[[nodiscard]] absl::StatusOr<Descriptor> ListenAt(absl::string_view name);

// The next caller, or none now (nullopt).
[[nodiscard]] absl::StatusOr<absl::optional<Descriptor>> AcceptCaller(int listening);

// A socket to whoever listens at `name`. Unavailable when nobody on this machine does.
[[nodiscard]] absl::StatusOr<Descriptor> ConnectTo(absl::string_view name);

// Is the process at the other end of the same user as this one?
[[nodiscard]] bool IsOfSameUser(int socket);

// Sends one packet, or fails; never waits: a peer that leaves its packets unread is as good as gone.
[[nodiscard]] absl::Status SendPacket(int socket, absl::string_view bytes,
                                      absl::Span<const int> descriptors);

// The next packet, or none now (nullopt). OutOfRange at the end: the other end is closed or its
// process has died. DataLoss for a packet that was cut off. All packets that were sent before the
// end are received before it.
[[nodiscard]] absl::StatusOr<absl::optional<Packet>> ReceivePacket(int socket);

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_SHM_SOCKET_H_
