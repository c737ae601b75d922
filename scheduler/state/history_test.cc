#include "scheduler/state/history.h"

#include <catch2/catch.hpp>

namespace rm::scheduler {
namespace {

Job NewJob(int64_t sequence, int32_t ranks, int32_t slots) {
  Job job;
  job.sequence = sequence;
  pb::ResourceSpec& resources = *job.submission.mutable_spec()->mutable_resources();
  resources.set_ranks_min(1);
  resources.set_ranks_max(ranks);
  resources.set_slots_per_rank(slots);
  return job;
}

void EndAfter(Job& job, absl::Duration served) {
  job.served_before = served;
  job.state = pb::SUCCEEDED;
  job.submitted = absl::UnixEpoch();
  job.ended = absl::UnixEpoch() + 2 * served;
}

TEST_CASE("the size of a job is that of its whole gang") {
  CHECK(SlotsOf(NewJob(1, 4, 8)) == 32);
  CHECK(SlotsOf(NewJob(1, 1, 1)) == 1);
}

TEST_CASE("jobs are found by size in order of submission, waiting, running and ended") {
  const Job late = NewJob(3, 2, 4);
  const Job early = NewJob(1, 1, 8);
  const Job other = NewJob(2, 1, 1);
  History history;
  for (const Job* job : {&late, &other, &early}) history.Add(*job);
  REQUIRE(history.OfSlots(8).size() == 2);
  CHECK((*history.OfSlots(8).begin())->sequence == 1);
  CHECK(history.OfSlots(2).empty());
  CHECK(history.ended() == 0);
}

TEST_CASE("what has ended counts until it is forgotten, and nothing is left then") {
  Job a = NewJob(1, 1, 8);
  Job b = NewJob(2, 1, 2);
  History history;
  history.Add(a);
  history.Add(b);
  EndAfter(a, absl::Milliseconds(1500));
  EndAfter(b, absl::Nanoseconds(1'999'999));
  history.End(a);
  history.End(b);
  CHECK(history.ended() == 2);
  CHECK(history.ended_slot_ms() == 12000 + 2);
  CHECK(history.ended_completion_ms() == 3000 + 3);
  history.Forget(a);
  history.Forget(b);
  CHECK(history.ended() == 0);
  CHECK(history.ended_slot_ms() == 0);
  CHECK(history.ended_completion_ms() == 0);
  CHECK(history.by_slots().empty());
}

TEST_CASE("service is the time in RUNNING, over all stays") {
  Job job = NewJob(1, 1, 1);
  const absl::Time now = absl::UnixEpoch() + absl::Hours(5);
  CHECK(job.Served(now) == absl::ZeroDuration());
  job.served_before = absl::Hours(1);
  job.serving_since = absl::UnixEpoch() + absl::Hours(3);
  CHECK(job.Served(now) == absl::Hours(3));
}

}  // namespace
}  // namespace rm::scheduler
