#include "comm/transport/shm_socket.h"

#include <catch2/catch.hpp>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace rm::comm {
namespace {

std::string FreshName(const char* what) {
  return absl::StrCat("ringmaster-socket-test-", ::getpid(), "-", what);
}

// Both ends of a connection.
struct Ends {
  explicit Ends(const char* what) {
    auto listening = ListenAt(FreshName(what));
    REQUIRE(listening.ok());
    auto connected = ConnectTo(FreshName(what));
    REQUIRE(connected.ok());
    auto accepted = AcceptCaller(listening->get());
    REQUIRE(accepted.ok());
    REQUIRE(accepted->has_value());
    dialled = *std::move(connected);
    answered = **std::move(accepted);
  }
  Descriptor dialled;
  Descriptor answered;
};

TEST_CASE("packets come one by one, whole, and then there is none for now") {
  const Ends ends("packets");
  REQUIRE(SendPacket(ends.dialled.get(), "first", {}).ok());
  REQUIRE(SendPacket(ends.dialled.get(), std::string(kPacketBytesMax, 'x'), {}).ok());
  CHECK((*ReceivePacket(ends.answered.get()))->bytes == "first");
  CHECK((*ReceivePacket(ends.answered.get()))->bytes.size() == kPacketBytesMax);
  CHECK_FALSE(ReceivePacket(ends.answered.get())->has_value());
}

TEST_CASE("descriptors travel beside the bytes") {
  const Ends ends("descriptors");
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  const Descriptor read_end(pipe_ends[0]);
  const Descriptor write_end(pipe_ends[1]);
  REQUIRE(SendPacket(ends.dialled.get(), "take", {write_end.get()}).ok());
  const auto packet = ReceivePacket(ends.answered.get());
  REQUIRE((*packet)->descriptors.size() == 1);
  REQUIRE(::write((*packet)->descriptors[0].get(), "!", 1) == 1);
  char byte = 0;
  REQUIRE(::read(read_end.get(), &byte, 1) == 1);
  CHECK(byte == '!');
}

TEST_CASE("what was sent before the end comes before the end, whoever has left things unread") {
  Ends ends("ends");
  REQUIRE(SendPacket(ends.answered.get(), "never read", {}).ok());
  REQUIRE(SendPacket(ends.dialled.get(), "last words", {}).ok());
  ends.dialled.Close();
  CHECK((*ReceivePacket(ends.answered.get()))->bytes == "last words");
  CHECK(absl::IsOutOfRange(ReceivePacket(ends.answered.get()).status()));
  CHECK_FALSE(SendPacket(ends.answered.get(), "too late", {}).ok());
}

TEST_CASE("the death of a process ends its sockets") {
  Ends ends("death");
  const pid_t child = ::fork();
  if (child == 0) {
    while (true) ::pause();
  }
  ends.dialled.Close();  // the child has it still
  CHECK_FALSE(ReceivePacket(ends.answered.get())->has_value());
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  // The child had the other end as well; ours does not count as its end.
  CHECK(absl::IsOutOfRange(ReceivePacket(ends.answered.get()).status()));
}

TEST_CASE("a name that nobody listens at is unavailable, and free again after its listener") {
  const std::string name = FreshName("name");
  CHECK(absl::IsUnavailable(ConnectTo(name).status()));
  {
    const auto listening = ListenAt(name);
    REQUIRE(listening.ok());
    CHECK(absl::IsUnavailable(ListenAt(name).status()));
    CHECK_FALSE(AcceptCaller(listening->get())->has_value());
  }
  CHECK(absl::IsUnavailable(ConnectTo(name).status()));
  CHECK(ListenAt(name).ok());
}

TEST_CASE("the kernel says whose process is at the other end") {
  const Ends ends("user");
  CHECK(IsOfSameUser(ends.dialled.get()));
  CHECK(IsOfSameUser(ends.answered.get()));
  CHECK_FALSE(IsOfSameUser(-1));
}

}  // namespace
}  // namespace rm::comm
