#include "runtime/coordinator/port_holder.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include <catch2/catch.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace rm::coordinator {
namespace {

constexpr char kTable[] =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n"
    "   0: 0100007F:1B9E 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 "
    "4711 1 0000000000000000 100 0 0 10 0\n"
    "   1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 "
    "4712 1 0000000000000000 100 0 0 10 0\n"
    "   2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A "
    "00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0 0 10 0\n";

TEST_CASE("the listener of a port is found in the kernel's table, connections are not") {
  CHECK(ListenerInode(kTable, 7070) == "4711");
  CHECK(ListenerInode(kTable, 80) == "4713");
  CHECK(ListenerInode(kTable, 40000).empty());  // a connection
  CHECK(ListenerInode(kTable, 1).empty());
  for (const char* const broken : {"", "\n\n", "no table", "0: 0100007F:1B9E"}) {
    CHECK(ListenerInode(broken, 7070).empty());
  }
}

TEST_CASE("a process of our own that listens is named") {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0);
  REQUIRE(listen(fd, 1) == 0);
  socklen_t size = sizeof(at);
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  const int port = ntohs(at.sin_port);
  const std::string holder = PortHolder(port);
  CHECK(absl::StartsWith(holder, absl::StrCat("process ", getpid(), " (")));
  close(fd);
  CHECK(PortHolder(port).empty());
}

}  // namespace
}  // namespace rm::coordinator
