#include "runtime/coordinator/bind_error.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rm::coordinator {
namespace {

TEST_CASE("a free port can be bound, again and again") {
  CHECK(TryBind({"127.0.0.1", 0}).ok());
  CHECK(TryBind({"localhost", 0}).ok());
}

TEST_CASE("a port in use is said to be in use") {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(listen(fd, 1) == 0);
  socklen_t size = sizeof(address);
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  const int port = ntohs(address.sin_port);
  const std::string said(TryBind({"127.0.0.1", port}).message());
  CHECK(absl::StartsWith(said, absl::StrCat("cannot listen on 127.0.0.1:", port,
                                            ": Address already in use by process ", getpid())));
  CHECK(absl::EndsWith(said, "end that one, or choose another port (port 0 takes a free one)"));
  close(fd);
  CHECK(TryBind({"127.0.0.1", port}).ok());
}

TEST_CASE("an address of another machine, and one of no machine, are told apart") {
  CHECK(TryBind({"203.0.113.7", 0}).message() ==
        "cannot listen on 203.0.113.7:0: Cannot assign requested address");
  CHECK(absl::IsInvalidArgument(TryBind({"no such host", 0})));
}

}  // namespace
}  // namespace rm::coordinator
