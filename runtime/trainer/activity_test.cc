#include "runtime/trainer/activity.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <thread>

#include "base/check.h"
#include "base/frame_socket.h"
#include "proto/rank.pb.h"

namespace rm::trainer {
namespace {

namespace pb = ::ringmaster::v1;

constexpr absl::Duration kOften = absl::Milliseconds(1);

// A rank's link, and the worker's end of it.
struct Line {
  std::array<int, 2> sockets{-1, -1};
  Line() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) == 0); }
  ~Line() {
    for (const int fd : sockets) ::close(fd);
  }
  [[nodiscard]] int rank_end() const { return sockets[0]; }

  [[nodiscard]] pb::RankMessage Next() const {
    pb::RankMessage message;
    const auto bytes = base::ReadFrame(sockets[1]);
    REQUIRE(bytes.ok());
    REQUIRE(message.ParseFromString(*bytes));
    return message;
  }
  // The first report for which `wanted` holds.
  template <typename Wanted>
  [[nodiscard]] pb::Activity Await(const Wanted& wanted) const {
    for (;;) {
      const pb::Activity activity = Next().activity();
      if (wanted(activity)) return activity;
    }
  }
};

TEST_CASE("the board is reported as it is at each moment") {
  Line line;
  RankLink link(line.rank_end());
  ActivityBoard board;
  const ActivityReporter reporter(board, link, kOften);
  const pb::Activity first = line.Next().activity();
  CHECK(first.step() == 0);
  CHECK(first.doing() == "loading");
  CHECK(first.entered() == 0);
  board.collectives.entered = 17;
  board.collectives.left = 16;
  board.doing = Doing::kStep;
  board.step = 5;
  const pb::Activity later = line.Await([](const auto& activity) { return activity.step() == 5; });
  CHECK(later.doing() == "step");
  CHECK(later.entered() == 17);
  CHECK(later.left() == 16);
}

TEST_CASE("each thing that a rank does has the name that the protocol gives it") {
  const std::pair<Doing, std::string> names[] = {
      {Doing::kLoading, "loading"},       {Doing::kCompiling, "compiling"},
      {Doing::kFirstStep, "first step"},  {Doing::kStep, "step"},
      {Doing::kEvaluation, "evaluation"}, {Doing::kCheckpoint, "checkpoint"}};
  for (const auto& [doing, name] : names) CHECK(DoingName(doing) == name);
}

TEST_CASE("a worker that does not read holds up neither the reporter nor its end") {
  Line line;
  RankLink link(line.rank_end());
  ActivityBoard board;
  pb::RankMessage message;
  message.mutable_activity()->set_doing(std::string(1000, 'x'));
  int sent = 0;
  while (link.TrySend(message)) ++sent;  // until the socket is full
  CHECK(sent > 0);
  { const ActivityReporter reporter(board, link, kOften); }
  for (int i = 0; i < sent; ++i) CHECK(line.Next().activity().doing().size() == 1000);
  CHECK(link.TrySend(message));  // there is room again
}

TEST_CASE("reports do not mix with what the rank says itself") {
  Line line;
  RankLink link(line.rank_end());
  ActivityBoard board;
  constexpr int kMessages = 20000;
  std::thread rank([&] {
    const ActivityReporter reporter(board, link, kOften);
    pb::RankMessage message;
    for (int step = 1; step <= kMessages; ++step) {
      message.mutable_progress()->set_step(step);
      RM_CHECK(link.Send(message).ok());  // Catch's own checks are for one thread
    }
  });
  for (int64_t step = 0; step < kMessages;) {
    const pb::RankMessage message = line.Next();
    if (message.has_progress()) RM_CHECK(message.progress().step() == ++step);
  }
  rank.join();
  SUCCEED("all came, whole and in order");
}

TEST_CASE("a worker that is gone ends no reporter in noise") {
  Line line;
  RankLink link(line.rank_end());
  ActivityBoard board;
  ::shutdown(line.sockets[1], SHUT_RDWR);
  const ActivityReporter reporter(board, link, kOften);
  pb::RankMessage message;
  message.mutable_activity();
  CHECK_FALSE(link.TrySend(message));
}

}  // namespace
}  // namespace rm::trainer
