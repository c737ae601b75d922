#include "runtime/coordinator/log_service.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/memory_file_system.h"
#include "base/simulated_clock.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

pb::LogChunk Chunk(int64_t offset, const std::string& data) {
  pb::LogChunk chunk;
  chunk.mutable_rank()->set_job_id("job");
  chunk.set_offset(offset);
  chunk.set_data(data);
  return chunk;
}

// A client that reads at once whatever is written. Touched by the service's thread only, until the
// service has stopped.
struct Client final : StreamSink<pb::LogLines> {
  std::shared_ptr<FeedCall<pb::LogLines>> call;
  TaskThread* thread = nullptr;
  std::vector<std::string> lines;
  std::vector<absl::Status> finished;

  void Write(const pb::LogLines& message) override {
    lines.insert(lines.end(), message.lines().begin(), message.lines().end());
    thread->Post([call = call] { call->Written(true); });
  }
  void Finish(const absl::Status& status) override { finished.push_back(status); }

  void Open(LogService& service, bool follow) {
    LogFeedOptions options;
    options.job_id = "job";
    options.follow = follow;
    thread = &service.thread();
    call = std::make_shared<FeedCall<pb::LogLines>>(this);
    service.Open(options, call);
  }
};

struct World {
  base::MemoryFileSystem files;
  base::SimulatedClock clock;
  LogService service{"/logs", files, clock};
};

TEST_CASE("a follower gets what is appended before and after, and ends with the job") {
  World world;
  Client client;
  world.service.Start();
  world.service.Append("w1", Chunk(0, "one\n"));
  client.Open(world.service, true);
  world.service.Append("w1", Chunk(4, "two\n"));
  world.service.Append("w1", Chunk(8, "three\n"));
  world.service.MarkEnded("job");
  // Each message is written and acknowledged by tasks of the thread: three rounds at most.
  for (int i = 0; i < 10; ++i) REQUIRE(world.service.thread().PostAndWait([] {}));
  world.service.Stop();
  CHECK(client.lines == std::vector<std::string>{"one", "two", "three"});
  REQUIRE(client.finished.size() == 1);
  CHECK(client.finished[0].ok());
}

TEST_CASE(
    "closing ends the streams, those that come late too, and stopping writes what is queued") {
  World world;
  Client early;
  Client late;
  early.Open(world.service, true);
  world.service.Close(absl::UnavailableError("stopping"));
  late.Open(world.service, true);
  world.service.Append("w1", Chunk(0, "one\n"));
  world.service.Start();
  world.service.Stop();
  CHECK(world.files.ReadFile("/logs/job/rank_0.log").value() == "one\n");
  for (const Client* client : {&early, &late}) {
    REQUIRE(client->finished.size() == 1);
    CHECK(absl::IsUnavailable(client->finished[0]));
  }
}

TEST_CASE("what a slow disk cannot take is dropped and marked, and memory stays bounded") {
  World world;
  const std::string megabyte(1 << 20, 'x');
  for (int64_t i = 0; i < 70; ++i) world.service.Append("w1", Chunk(i << 20, megabyte));
  CHECK(world.service.dropped_bytes() == 6 << 20);
  world.service.Start();
  REQUIRE(world.service.thread().PostAndWait([] {}));
  world.service.Append("w1", Chunk(70 << 20, "end\n"));
  world.service.Stop();
  const std::string text = world.files.ReadFile("/logs/job/rank_0.log").value();
  CHECK(text.substr(64 << 20) == "[6291456 bytes of this log did not come from worker w1]\nend\n");
}

TEST_CASE("a disk that fails is no end of the service") {
  World world;
  world.files.SetCapacity(0);
  world.service.Start();
  world.service.Append("w1", Chunk(0, "one\n"));
  world.service.Append("w1", Chunk(4, "two\n"));
  REQUIRE(world.service.thread().PostAndWait([] {}));
  world.files.SetCapacity(1 << 20);
  world.service.Append("w1", Chunk(8, "three\n"));
  world.service.Stop();
  CHECK(world.files.ReadFile("/logs/job/rank_0.log").value() ==
        "[8 bytes of this log did not come from worker w1]\nthree\n");
}

}  // namespace
}  // namespace rm::coordinator
