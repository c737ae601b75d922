#include "base/frame_socket.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <thread>

namespace rm::base {
namespace {

// Two connected stream sockets, closed at the end of the test.
class Pair {
 public:
  Pair() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds_.data()) == 0); }
  ~Pair() {
    CloseLeft();
    ::close(fds_[1]);
  }
  int left() const { return fds_[0]; }
  int right() const { return fds_[1]; }
  void CloseLeft() {
    if (fds_[0] >= 0) ::close(fds_[0]);
    fds_[0] = -1;
  }
  void SendRaw(const std::string& bytes) const {
    REQUIRE(::send(fds_[0], bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }

 private:
  std::array<int, 2> fds_{-1, -1};
};

TEST_CASE("frames arrive whole and in order, the empty one too") {
  Pair pair;
  for (const std::string& text : {std::string("hello"), std::string(), std::string(3, '\0')}) {
    REQUIRE(WriteFrame(pair.left(), text).ok());
  }
  CHECK(*ReadFrame(pair.right()) == "hello");
  CHECK(ReadFrame(pair.right())->empty());
  CHECK(*ReadFrame(pair.right()) == std::string(3, '\0'));
}

TEST_CASE("a frame larger than the socket's buffer arrives whole") {
  Pair pair;
  const std::string large(5U << 20, 'x');
  std::thread writer([&] { CHECK(WriteFrame(pair.left(), large).ok()); });
  const auto got = ReadFrame(pair.right());
  writer.join();
  REQUIRE(got.ok());
  CHECK(*got == large);
}

TEST_CASE("an orderly end between frames is told apart from one inside a frame") {
  SECTION("between frames") {
    Pair pair;
    REQUIRE(WriteFrame(pair.left(), "last").ok());
    pair.CloseLeft();
    CHECK(*ReadFrame(pair.right()) == "last");
    CHECK(ReadFrame(pair.right()).status().code() == absl::StatusCode::kOutOfRange);
  }
  SECTION("inside the length") {
    Pair pair;
    pair.SendRaw(std::string("\x05\x00", 2));
    pair.CloseLeft();
    CHECK(ReadFrame(pair.right()).status().code() == absl::StatusCode::kDataLoss);
  }
  SECTION("inside the body") {
    Pair pair;
    pair.SendRaw(std::string("\x05\x00\x00\x00", 4) + "ab");
    pair.CloseLeft();
    const auto got = ReadFrame(pair.right());
    CHECK(got.status().code() == absl::StatusCode::kDataLoss);
    CHECK(std::string(got.status().message()) == "the stream ended after 2 of a frame's 5 bytes");
  }
}

TEST_CASE("a length above the limit is refused before anything is allocated") {
  Pair pair;
  pair.SendRaw("\xFF\xFF\xFF\x7F");
  CHECK(ReadFrame(pair.right()).status().code() == absl::StatusCode::kDataLoss);
  const std::string large(kFrameBytesMax + 1, 'x');
  CHECK(WriteFrame(pair.left(), large).code() == absl::StatusCode::kInvalidArgument);
}

TEST_CASE("writing to a peer that is gone is an error, not a signal") {
  Pair pair;
  pair.CloseLeft();
  absl::Status status = WriteFrame(pair.right(), "anyone there?");
  CHECK(status.code() == absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace rm::base
