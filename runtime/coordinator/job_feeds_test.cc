#include "runtime/coordinator/job_feeds.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "runtime/coordinator/test_world.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// Polls a feed as long as it has messages.
template <typename T>
struct Reader {
  Feed<T>& feed;
  TestWorld& world;
  FeedNext last = FeedNext::kLater;
  absl::Status status = absl::UnknownError("not ended");

  std::vector<T> Read() {
    std::vector<T> messages;
    T message;
    while ((last = feed.Poll(world.clock().Monotonic(), &message, &status)) == FeedNext::kMessage) {
      messages.push_back(message);
    }
    return messages;
  }
};

std::vector<pb::JobState> States(const std::vector<pb::Job>& jobs) {
  std::vector<pb::JobState> states;
  for (const pb::Job& job : jobs) states.push_back(job.state());
  return states;
}

using JobStates = std::vector<pb::JobState>;

TEST_CASE("a watcher sees the job now, each change, and the end") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  const std::string job = RunJob(world, w1, "mnist", 1);
  WatchFeed feed(world.coordinator(), job);
  Reader<pb::Job> watcher{feed, world};
  CHECK(States(watcher.Read()) == JobStates{pb::RUNNING});
  CHECK(watcher.last == FeedNext::kLater);
  CHECK(watcher.Read().empty());

  w1.Finishes(job, 1, 0, 100);
  w1.Exits(job, 1, 0, 0);
  CHECK(States(watcher.Read()) == JobStates{pb::SUCCEEDED});
  CHECK(watcher.last == FeedNext::kEnd);
  CHECK(watcher.status.ok());
}

TEST_CASE("progress is shown at most every 200 ms, and the newest of it") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  const std::string job = RunJob(world, w1, "mnist", 1);
  WatchFeed feed(world.coordinator(), job);
  Reader<pb::Job> watcher{feed, world};
  (void)watcher.Read();
  w1.Progresses(job, 1, 0, 1);
  w1.Progresses(job, 1, 0, 2);
  CHECK(watcher.Read().empty());
  world.Pass(absl::Milliseconds(200));
  const std::vector<pb::Job> seen = watcher.Read();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].progress().step() == 2);
  world.Pass(absl::Milliseconds(200));
  CHECK(watcher.Read().empty());
}

TEST_CASE("a transition is shown at once, with the progress so far") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  const std::string job = RunJob(world, w1, "mnist", 1);
  WatchFeed feed(world.coordinator(), job);
  Reader<pb::Job> watcher{feed, world};
  (void)watcher.Read();
  w1.Progresses(job, 1, 0, 7);
  REQUIRE(world.Cancel(job).ok());
  const std::vector<pb::Job> seen = watcher.Read();
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].state() == pb::STOPPING);
  CHECK(seen[0].progress().step() == 7);
}

TEST_CASE("watching a job that has ended shows it once and ends") {
  TestWorld world;
  const std::string job = world.Submit("mnist", 1);
  REQUIRE(world.Cancel(job).ok());
  WatchFeed feed(world.coordinator(), job);
  Reader<pb::Job> watcher{feed, world};
  CHECK(States(watcher.Read()) == JobStates{pb::CANCELLED});
  CHECK(watcher.last == FeedNext::kEnd);
}

TEST_CASE("events of a job are its transitions, in order") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  const std::string other = world.Submit("other", 1);
  const std::string job = world.Submit("mnist", 1);
  REQUIRE(world.Cancel(job).ok());
  EventsFeed feed(world.coordinator(), job, /*follow=*/false);
  Reader<pb::JobEvent> reader{feed, world};
  JobStates states;
  for (const pb::JobEvent& event : reader.Read()) {
    CHECK(event.transition().job_id() == job);
    states.push_back(event.transition().to());
  }
  CHECK(states == JobStates{pb::QUEUED, pb::QUEUED, pb::CANCELLED});
  CHECK(reader.last == FeedNext::kEnd);
}

TEST_CASE("following a job's events ends with the job") {
  TestWorld world;
  const std::string job = world.Submit("mnist", 1);
  EventsFeed feed(world.coordinator(), job, /*follow=*/true);
  Reader<pb::JobEvent> reader{feed, world};
  (void)reader.Read();
  CHECK(reader.last == FeedNext::kLater);
  REQUIRE(world.Cancel(job).ok());
  CHECK(reader.Read().size() == 1);
  CHECK(reader.last == FeedNext::kEnd);
}

TEST_CASE("events of all are those of jobs and workers, and do not end while they are followed") {
  TestWorld world;
  TestWorker w1(world, "w1", 1);
  const std::string job = world.Submit("mnist", 9);
  EventsFeed all(world.coordinator(), "", /*follow=*/false);
  Reader<pb::JobEvent> reader{all, world};
  const std::vector<pb::JobEvent> events = reader.Read();
  CHECK(reader.last == FeedNext::kEnd);
  REQUIRE(events.size() >= 2);
  CHECK(events[0].worker().worker_id() == "w1");
  CHECK(events[1].transition().job_id() == job);

  EventsFeed follow(world.coordinator(), "", /*follow=*/true);
  Reader<pb::JobEvent> follower{follow, world};
  CHECK(follower.Read().size() == events.size());
  REQUIRE(world.Cancel(job).ok());
  CHECK(follower.Read().size() == 1);
  CHECK(follower.last == FeedNext::kLater);
}

}  // namespace
}  // namespace rm::coordinator
