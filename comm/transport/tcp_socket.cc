#include "comm/transport/tcp_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status.h"

namespace rm::comm {
namespace {

constexpr int kBacklog = 1024;

// "Not now": also a connection that is not there yet.
bool WouldBlock(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == ENOTCONN || error == EINPROGRESS ||
         error == EINTR;
}

struct FreeAddresses {
  void operator()(addrinfo* found) const { ::freeaddrinfo(found); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

absl::StatusOr<Addresses> LookUp(const std::string& host, const std::string& port, int flags) {
  addrinfo hints = {};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (failed != 0) {
    return absl::UnavailableError(absl::StrCat("'", host, "': ", ::gai_strerror(failed)));
  }
  return Addresses(found);
}

// A frame is written in one call, and its last piece must not wait for company.
void SendAtOnce(int socket) {
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

// What the system has chosen.
int PortOf(int socket) {
  sockaddr_storage address = {};
  socklen_t bytes = sizeof(address);
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &bytes) != 0) return 0;
  if (address.ss_family == AF_INET6) {
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port);
  }
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

// The parts of "host:port" and "[host]:port".
std::pair<std::string, std::string> SplitAddress(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos) return {address, ""};
  std::string host = address.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return {host, address.substr(colon + 1)};
}

}  // namespace

// The first of the host's addresses that this machine has.
absl::StatusOr<TcpListener> ListenTcp(const std::string& host) {
  RM_ASSIGN_OR_RETURN(const Addresses found, LookUp(host, "0", AI_PASSIVE));
  for (const addrinfo* at = found.get(); at != nullptr; at = at->ai_next) {
    Descriptor socket(::socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket.open() || ::bind(socket.get(), at->ai_addr, at->ai_addrlen) != 0) continue;
    if (::listen(socket.get(), kBacklog) != 0) continue;
    const int port = PortOf(socket.get());
    return TcpListener{std::move(socket), port};
  }
  return absl::UnavailableError(
      absl::StrCat("cannot listen on host '", host, "': it is not an address of this machine"));
}

// A caller that has gone again before it was answered is nobody.
absl::StatusOr<absl::optional<Descriptor>> AcceptTcp(int listening) {
  Descriptor socket(::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (socket.open()) {
    SendAtOnce(socket.get());
    return absl::optional<Descriptor>(std::move(socket));
  }
  if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
    return absl::ResourceExhaustedError(
        absl::StrCat("a peer could not be answered: ", std::strerror(errno)));
  }
  return absl::optional<Descriptor>();
}

// The first of the host's addresses: workers advertise one.
absl::StatusOr<Descriptor> ConnectTcp(const std::string& address) {
  const auto [host, port] = SplitAddress(address);
  RM_ASSIGN_OR_RETURN(const Addresses found, LookUp(host, port, 0));
  Descriptor socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.open()) return base::ErrnoStatus(errno, "socket");
  SendAtOnce(socket.get());
  if (::connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0 && errno != EINPROGRESS) {
    return absl::UnavailableError(absl::StrCat("connecting to ", address, ": ",
                                               std::strerror(errno)));
  }
  return socket;
}

// No signal for a connection that is gone: the status says it.
absl::StatusOr<size_t> WriteTcp(int socket, absl::Span<const iovec> pieces) {
  msghdr message = {};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  const ssize_t written = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (written >= 0) return static_cast<size_t>(written);
  if (WouldBlock(errno)) return size_t{0};
  return absl::UnavailableError(std::strerror(errno));
}

// Nothing is read by a read of no bytes: it is not the end.
absl::StatusOr<size_t> ReadTcp(int socket, char* to, size_t bytes) {
  if (bytes == 0) return size_t{0};
  const ssize_t read = ::recv(socket, to, bytes, MSG_DONTWAIT);
  if (read > 0) return static_cast<size_t>(read);
  if (read == 0) return absl::OutOfRangeError("the other end is closed");
  if (WouldBlock(errno)) return size_t{0};
  return absl::UnavailableError(std::strerror(errno));
}

}  // namespace rm::comm
