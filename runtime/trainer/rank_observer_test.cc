#include "runtime/trainer/rank_observer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "base/frame_socket.h"
#include "base/json.h"
#include "base/memory_file_system.h"
#include "runtime/trainer/trainer_testing.h"

namespace rm::trainer {
namespace {

namespace pb = ::ringmaster::v1;

// An observer of a rank, and what its worker hears.
struct World {
  base::MemoryFileSystem files;
  std::array<int, 2> sockets{-1, -1};
  ActivityBoard board;

  World() { REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, sockets.data()) == 0); }
  ~World() {
    for (const int fd : sockets) ::close(fd);
  }

  // Lets an observer of `rank` see something; returns what the worker heard of it.
  template <typename See>
  std::vector<pb::RankMessage> Heard(int rank, const See& see) {
    RankLink link(sockets[1]);
    RankObserver observer(link, files, StartOf(SmallJob(), rank, 2, /*generation=*/4), board);
    see(observer);
    pb::RankMessage end;
    end.mutable_joined();
    REQUIRE(link.Send(end).ok());
    std::vector<pb::RankMessage> messages;
    for (;;) {
      pb::RankMessage message;
      REQUIRE(message.ParseFromString(*base::ReadFrame(sockets[0])));
      if (message.has_joined()) return messages;
      messages.push_back(message);
    }
  }

  std::vector<base::Json> MetricLines() const {
    std::vector<base::Json> lines;
    const auto text = files.ReadFile("/checkpoints/metrics.jsonl");
    if (!text.ok()) return lines;
    for (const absl::string_view line : absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
      const auto parsed = base::Json::Parse(line);
      REQUIRE(parsed.ok());
      lines.push_back(*parsed);
    }
    return lines;
  }
};

pb::Progress ProgressAt(int64_t step) {
  pb::Progress progress;
  progress.set_step(step);
  progress.set_total_steps(100);
  progress.set_epoch(1.5);
  progress.set_loss(0.25);
  progress.set_learning_rate(0.1);
  progress.set_samples_per_second(1000);
  return progress;
}

TEST_CASE("progress is told by every rank, the curve is kept by rank 0") {
  for (const int rank : {0, 1}) {
    World world;
    const auto heard =
        world.Heard(rank, [](RankObserver& observer) { observer.OnProgress(ProgressAt(7)); });
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].progress().step() == 7);
    CHECK(heard[0].progress().loss() == 0.25);
    CHECK(world.board.step == 0);  // OnDoing tells it
    const auto lines = world.MetricLines();
    REQUIRE(lines.size() == (rank == 0 ? 1 : 0));
    if (rank != 0) continue;
    CHECK(lines[0].Find("step")->int_or(0) == 7);
    CHECK(lines[0].Find("generation")->int_or(0) == 4);
    CHECK(lines[0].Find("train/loss")->number_or(0) == 0.25);
    CHECK(lines[0].Find("train/lr")->number_or(0) == 0.1);
  }
}

TEST_CASE("an evaluation is told once, by rank 0") {
  for (const int rank : {0, 1}) {
    World world;
    const auto heard = world.Heard(rank, [](RankObserver& observer) {
      observer.OnEvaluated(9, {{"validation/accuracy", 0.75}});
    });
    REQUIRE(heard.size() == (rank == 0 ? 1 : 0));
    if (rank != 0) continue;
    CHECK(heard[0].evaluated().step() == 9);
    CHECK(heard[0].evaluated().metrics().at("validation/accuracy") == 0.75);
    CHECK(world.MetricLines()[0].Find("validation/accuracy")->number_or(0) == 0.75);
  }
}

TEST_CASE("a commit is told with its path and metrics, a failed save is not a commit") {
  World world;
  SaveOutcome good;
  good.step = 20;
  good.path = "/checkpoints/step-000000000020-g4";
  good.metrics = {{"train/loss", 0.5}};
  SaveOutcome bad;
  bad.step = 30;
  bad.status = absl::ResourceExhaustedError("disk full");
  const auto heard = world.Heard(0, [&](RankObserver& observer) {
    observer.OnSaved(good);
    observer.OnSaved(bad);
  });
  REQUIRE(heard.size() == 1);
  CHECK(heard[0].committed().step() == 20);
  CHECK(heard[0].committed().path() == good.path);
  CHECK(heard[0].committed().metrics().at("train/loss") == 0.5);
  CHECK(world.Heard(1, [&](RankObserver& observer) { observer.OnSaved(good); }).empty());
}

TEST_CASE("what a rank is doing shows on its board, at once and without a message") {
  World world;
  const auto heard = world.Heard(1, [&](RankObserver& observer) {
    observer.OnDoing(Doing::kEvaluation, 9);
    CHECK(world.board.step == 9);
    CHECK(world.board.doing == Doing::kEvaluation);
  });
  CHECK(heard.empty());
}

TEST_CASE("a notice is told once, by rank 0, with its code and its step") {
  for (const int rank : {0, 1}) {
    World world;
    const auto heard = world.Heard(rank, [](RankObserver& observer) {
      pb::Reason notice;
      notice.set_code("BadRecords");
      notice.set_sentence("3 of 150 records are bad");
      observer.OnNotice(notice, 12);
    });
    REQUIRE(heard.size() == (rank == 0 ? 1 : 0));
    if (rank != 0) continue;
    CHECK(heard[0].notice().reason().code() == "BadRecords");
    CHECK(heard[0].notice().reason().sentence() == "3 of 150 records are bad");
    CHECK(heard[0].notice().step() == 12);
  }
}

TEST_CASE("a disk that is full costs lines, nothing else") {
  World world;
  world.files.FailFrom(1, base::MemoryFileSystem::Fault::kDiskFull);
  const auto heard = world.Heard(0, [](RankObserver& observer) {
    observer.OnProgress(ProgressAt(1));
    observer.OnProgress(ProgressAt(2));
  });
  CHECK(heard.size() == 2);
  world.files.FailFrom(0, base::MemoryFileSystem::Fault::kDiskFull);
  CHECK(world.MetricLines().empty());
}

TEST_CASE("a new generation appends to the curve") {
  World world;
  for (const int64_t step : {1, 2}) {
    world.Heard(0, [&](RankObserver& observer) { observer.OnProgress(ProgressAt(step)); });
  }
  CHECK(world.MetricLines().size() == 2);
}

TEST_CASE("a link refuses what is no command and ends when the worker is gone") {
  World world;
  RankLink link(world.sockets[1]);
  pb::RankCommand stop;
  stop.mutable_stop()->set_checkpoint(true);
  REQUIRE(base::WriteFrame(world.sockets[0], stop.SerializeAsString()).ok());
  const auto command = link.Next();
  REQUIRE(command.ok());
  CHECK(command->stop().checkpoint());
  REQUIRE(base::WriteFrame(world.sockets[0], "\xFF\xFF\xFF").ok());
  CHECK(absl::IsDataLoss(link.Next().status()));
  ::shutdown(world.sockets[0], SHUT_RDWR);
  CHECK(absl::IsOutOfRange(link.Next().status()));
  CHECK_FALSE(link.Send(pb::RankMessage()).ok());
}

}  // namespace
}  // namespace rm::trainer
