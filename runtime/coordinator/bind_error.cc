// gRPC's BuildAndStart answers a failed bind with a null pointer and a line in its own log. People
// need the reason: so the same bind is tried by hand before.
#include "runtime/coordinator/bind_error.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "runtime/coordinator/port_holder.h"

namespace rm::coordinator {

absl::Status TryBind(const base::HostPort& address) {
  const std::string what = absl::StrCat("cannot listen on ", address.ToString());
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;  // to listen; the port is a number already
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int result =
      getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found);
  if (result != 0) {
    return absl::InvalidArgumentError(absl::StrCat(what, ": ", gai_strerror(result)));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> infos(found, &freeaddrinfo);
  // The first address only: gRPC needs one that works, and the reasons of the others differ little.
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return base::ErrnoStatus(errno, what);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));  // as gRPC does
  const int error =
      bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1) != 0 ? errno : 0;
  close(fd);
  if (error != EADDRINUSE) return base::ErrnoStatus(error, what);
  const std::string holder = PortHolder(address.port);
  const std::string status(base::ErrnoStatus(error, what).message());
  return absl::UnavailableError(absl::StrCat(
      status, holder.empty() ? "" : " by ", holder,
      ": end that one, or choose another port (port 0 takes a free one)"));
}

}  // namespace rm::coordinator
