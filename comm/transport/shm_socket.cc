#include "comm/transport/shm_socket.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/status.h"

namespace rm::comm {
namespace {

constexpr int kSocketKind = SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK;

// An abstract name begins with a zero byte and has no terminator.
struct Name {
  sockaddr_un address = {};
  socklen_t bytes = 0;
};

Name NameOf(absl::string_view text) {
  Name name;
  RM_CHECK(text.size() + 1 < sizeof(name.address.sun_path), text, " is too long");
  name.address.sun_family = AF_UNIX;
  std::memcpy(name.address.sun_path + 1, text.data(), text.size());
  name.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + text.size());
  return name;
}

const sockaddr* Generic(const Name& name) {
  return reinterpret_cast<const sockaddr*>(&name.address);
}

// Room for the descriptors beside a packet, as cmsg(3) wants it.
union ControlBuffer {
  cmsghdr align;
  char bytes[CMSG_SPACE(kPacketDescriptorsMax * sizeof(int))];
};

std::vector<Descriptor> TakeDescriptors(msghdr& message) {
  std::vector<Descriptor> found;
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      found.emplace_back(fd);
    }
  }
  return found;
}

bool WouldBlock(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

absl::StatusOr<Descriptor> ListenAt(absl::string_view name) {
  Descriptor socket(::socket(AF_UNIX, kSocketKind, 0));
  const Name where = NameOf(name);
  if (!socket.open() || ::bind(socket.get(), Generic(where), where.bytes) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0) {
    return absl::UnavailableError(absl::StrCat("cannot listen on the unix socket @", name, ": ",
                                               std::strerror(errno)));
  }
  return socket;
}

absl::StatusOr<absl::optional<Descriptor>> AcceptCaller(int listening) {
  Descriptor caller(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (caller.open()) return absl::optional<Descriptor>(std::move(caller));
  if (WouldBlock(errno) || errno == ECONNABORTED || errno == EINTR) {
    return absl::optional<Descriptor>();
  }
  return base::ErrnoStatus(errno, "accepting a caller");
}

absl::StatusOr<Descriptor> ConnectTo(absl::string_view name) {
  Descriptor socket(::socket(AF_UNIX, kSocketKind, 0));
  const Name where = NameOf(name);
  if (!socket.open() || ::connect(socket.get(), Generic(where), where.bytes) != 0) {
    return absl::UnavailableError(absl::StrCat("nobody answers at the unix socket @", name,
                                               " of this machine: ", std::strerror(errno)));
  }
  return socket;
}

// What the kernel noted when the connection was made; nobody can pretend.
bool IsOfSameUser(int socket) {
  ucred peer = {};
  socklen_t bytes = sizeof(peer);
  const bool known = ::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &bytes) == 0;
  return known && peer.uid == ::geteuid();
}

absl::Status SendPacket(int socket, absl::string_view bytes, absl::Span<const int> descriptors) {
  RM_CHECK(bytes.size() <= kPacketBytesMax, bytes.size(), " bytes");
  RM_CHECK(descriptors.size() <= kPacketDescriptorsMax, descriptors.size(), " descriptors");
  iovec piece = {const_cast<char*>(bytes.data()), bytes.size()};
  ControlBuffer control = {};
  msghdr message = {};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  if (!descriptors.empty()) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(descriptors.size() * sizeof(int));
    cmsghdr* const rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size() * sizeof(int));
  }
  while (::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    if (errno != EINTR) return base::ErrnoStatus(errno, "sending a packet");
  }
  return absl::OkStatus();
}

// A peer that closes without having read all of ours leaves ECONNRESET before its last packets: they
// are still there, and are asked for again.
absl::StatusOr<absl::optional<Packet>> ReceivePacket(int socket) {
  Packet packet;
  packet.bytes.resize(kPacketBytesMax);
  iovec piece = {&packet.bytes[0], packet.bytes.size()};
  ControlBuffer control = {};
  msghdr message = {};
  ssize_t received = -1;
  for (int attempt = 0; attempt < 3 && received < 0; ++attempt) {
    message = {};
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = &control;
    message.msg_controllen = sizeof(control);
    received = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (received < 0 && WouldBlock(errno)) return absl::optional<Packet>();
  }
  if (received < 0) return absl::OutOfRangeError(std::strerror(errno));
  packet.descriptors = TakeDescriptors(message);
  if (received == 0 && packet.descriptors.empty()) {
    return absl::OutOfRangeError("the other end is closed");
  }
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
    return absl::DataLossError("a packet that is too large");
  }
  packet.bytes.resize(static_cast<size_t>(received));
  return absl::optional<Packet>(std::move(packet));
}

}  // namespace rm::comm
