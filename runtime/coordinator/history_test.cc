#include "runtime/coordinator/history.h"

#include <string>
#include <vector>

#include <catch2/catch.hpp>

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

// Records of one job transition each, a given number of seconds apart from the epoch.
struct Story {
  explicit Story(size_t events_max = History::kEventsMax) : history(events_max) {}

  History history;

  void Becomes(const std::string& job_id, pb::JobState from, pb::JobState to, int64_t at_seconds,
               const std::string& code = "Test") {
    pb::JournalRecord record;
    pb::JobTransition& transition = *record.add_job_transitions();
    transition.set_job_id(job_id);
    transition.set_from(from);
    transition.set_to(to);
    transition.set_time_ns(at_seconds * 1'000'000'000);
    transition.mutable_reason()->set_code(code);
    if (from == pb::JOB_STATE_UNSPECIFIED) {
      transition.mutable_submission()->set_request_id("request of " + job_id);
      record.add_events()->mutable_submit()->set_job_id(job_id);
    }
    history.Apply(record);
  }
};

// The times, in seconds, of the transitions that a reader of the job gets.
std::vector<int64_t> Times(const History& history, const std::string& job_id) {
  std::vector<int64_t> times;
  size_t position = 0;
  while (const pb::JobEvent* event = history.Next(job_id, &position)) {
    times.push_back(event->transition().time_ns() / 1'000'000'000);
  }
  return times;
}

std::vector<std::string> Ids(const History& history) {
  std::vector<std::string> ids;
  for (const History::Submitted& job : history.jobs()) ids.push_back(job.job_id);
  return ids;
}

TEST_CASE("a new history is empty") {
  const History history;
  CHECK(history.events().empty());
  CHECK(history.jobs().empty());
  size_t position = 0;
  CHECK(history.Next("a", &position) == nullptr);
  CHECK(history.Next("", &position) == nullptr);
  CHECK(history.EndOf("a") == 0);
  CHECK(history.JobOfRequest("r") == nullptr);
}

TEST_CASE("jobs stand in the order of their submission and are found by their request") {
  Story story;
  story.Becomes("b", pb::JOB_STATE_UNSPECIFIED, pb::QUEUED, 1);
  story.Becomes("a", pb::JOB_STATE_UNSPECIFIED, pb::QUEUED, 2);
  story.Becomes("b", pb::QUEUED, pb::CANCELLED, 3);
  CHECK(Ids(story.history) == std::vector<std::string>{"b", "a"});
  REQUIRE(story.history.JobOfRequest("request of a") != nullptr);
  CHECK(*story.history.JobOfRequest("request of a") == "a");
  CHECK(story.history.JobOfRequest("request of c") == nullptr);
}

TEST_CASE("a submission without a request id is nobody's answer") {
  History history;
  pb::JournalRecord record;
  record.add_job_transitions()->set_job_id("a");
  history.Apply(record);
  CHECK(history.jobs().size() == 1);
  CHECK(history.JobOfRequest("") == nullptr);
}

TEST_CASE("events are kept in order, each job's findable, without the submission") {
  Story story;
  story.Becomes("a", pb::JOB_STATE_UNSPECIFIED, pb::QUEUED, 1);
  story.Becomes("b", pb::JOB_STATE_UNSPECIFIED, pb::QUEUED, 2);
  pb::JournalRecord worker;
  worker.add_worker_transitions()->set_worker_id("w1");
  story.history.Apply(worker);
  story.Becomes("a", pb::QUEUED, pb::STARTING, 3);

  REQUIRE(story.history.events().size() == 4);
  CHECK(story.history.events().at(2).worker().worker_id() == "w1");
  CHECK_FALSE(story.history.events().at(0).transition().has_submission());
  CHECK(Times(story.history, "a") == std::vector<int64_t>{1, 3});
  CHECK(Times(story.history, "b") == std::vector<int64_t>{2});
  CHECK(Times(story.history, "c").empty());
  CHECK(story.history.EndOf("a") == 4);
  CHECK(story.history.EndOf("b") == 2);
}

TEST_CASE("of a long history the newest transitions are kept, and readers skip what is gone") {
  Story story(/*events_max=*/3);
  size_t all = 0;     // a reader of all who has read nothing
  size_t of_a = 0;    // one of job a, who has read its first
  story.Becomes("a", pb::JOB_STATE_UNSPECIFIED, pb::QUEUED, 1);
  REQUIRE(story.history.Next("a", &of_a) != nullptr);
  const size_t end_of_a = story.history.EndOf("a");
  story.Becomes("a", pb::QUEUED, pb::STARTING, 2);
  story.Becomes("b", pb::JOB_STATE_UNSPECIFIED, pb::QUEUED, 3);
  story.Becomes("b", pb::QUEUED, pb::STARTING, 4);
  CHECK(story.history.EndOf("a") > end_of_a);
  CHECK(Times(story.history, "a") == std::vector<int64_t>{2});
  story.Becomes("b", pb::STARTING, pb::RUNNING, 5);
  story.Becomes("b", pb::RUNNING, pb::SUCCEEDED, 6);
  CHECK(story.history.events().size() == 3);
  CHECK(story.history.end_position() == 6);
  CHECK(Times(story.history, "a").empty());
  CHECK(Times(story.history, "b") == std::vector<int64_t>{4, 5, 6});
  CHECK(story.history.EndOf("a") == 0);
  CHECK(story.history.Next("a", &of_a) == nullptr);
  REQUIRE(story.history.Next("", &all) != nullptr);
  CHECK(all == 4);
  // What jobs there are, and by which request, is not forgotten with their transitions.
  CHECK(story.history.jobs().size() == 2);
  CHECK(*story.history.JobOfRequest("request of a") == "a");
}

TEST_CASE("jobs that nobody knows any more are forgotten with their requests, in their places") {
  Story story;
  for (const char* const id : {"a", "b", "c"}) {
    story.Becomes(id, pb::JOB_STATE_UNSPECIFIED, pb::QUEUED, 1);
  }
  const auto is_not_a = [](const std::string& id) { return id != "a"; };
  CHECK(story.history.Forget(is_not_a) == std::vector<std::string>{"a"});
  CHECK(story.history.Forget(is_not_a).empty());
  story.Becomes("d", pb::JOB_STATE_UNSPECIFIED, pb::QUEUED, 2);
  CHECK(Ids(story.history) == std::vector<std::string>{"b", "c", "d"});
  CHECK(story.history.jobs()[0].ordinal == 2);
  CHECK(story.history.jobs()[2].ordinal == 4);
  CHECK(story.history.JobOfRequest("request of a") == nullptr);
  CHECK(story.history.JobOfRequest("request of b") != nullptr);
}

TEST_CASE("the transitions of a forgotten job go with it, and readers pass over the gap") {
  Story story;
  size_t all = 0;
  for (const char* const id : {"a", "b", "a", "b", "a"}) {
    story.Becomes(id, pb::QUEUED, pb::QUEUED, static_cast<int64_t>(story.history.end_position()));
  }
  REQUIRE(story.history.Next("", &all) != nullptr);
  story.history.Forget([](const std::string& id) { return id != "a"; });
  CHECK(Times(story.history, "a").empty());
  CHECK(Times(story.history, "b") == std::vector<int64_t>{1, 3});
  CHECK(Times(story.history, "") == std::vector<int64_t>{1, 3});
  CHECK(story.history.EndOf("a") == 0);
  CHECK(story.history.end_position() == 5);
  CHECK(story.history.Next("", &all)->transition().time_ns() == 1'000'000'000);
  story.Becomes("b", pb::QUEUED, pb::STARTING, 9);
  CHECK(Times(story.history, "") == std::vector<int64_t>{1, 3, 9});
}

TEST_CASE("the wait in the queue is counted when a gang starts, from the last time it was queued") {
  Story story;
  story.Becomes("a", pb::JOB_STATE_UNSPECIFIED, pb::QUEUED, 10);
  story.Becomes("a", pb::QUEUED, pb::STARTING, 14);
  story.Becomes("a", pb::STARTING, pb::QUEUED, 20);
  story.Becomes("a", pb::QUEUED, pb::STARTING, 21);
  const telemetry::Histogram& waits = story.history.statistics().queue_wait_seconds;
  CHECK(waits.count() == 2);
  CHECK(waits.sum() == Approx(5));
}

TEST_CASE("a recovery counts once, by its cause, however many generations it takes") {
  Story story;
  story.Becomes("a", pb::RUNNING, pb::RECOVERING, 100, "RankLost");
  story.Becomes("a", pb::RECOVERING, pb::RECOVERING, 101, "RankLost");
  story.Becomes("a", pb::RECOVERING, pb::RUNNING, 103);
  story.Becomes("a", pb::RUNNING, pb::RECOVERING, 110, "WorkerLost");
  story.Becomes("a", pb::RECOVERING, pb::QUEUED, 120);
  const Statistics& statistics = story.history.statistics();
  CHECK(statistics.recoveries ==
        std::map<std::string, int64_t>{{"RankLost", 1}, {"WorkerLost", 1}});
  CHECK(statistics.recovery_seconds.count() == 1);
  CHECK(statistics.recovery_seconds.sum() == Approx(3));
  CHECK(statistics.records == 5);
}

}  // namespace
}  // namespace rm::coordinator
