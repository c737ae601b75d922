#include "scheduler/policy/service.h"

#include <catch2/catch.hpp>
#include <deque>

namespace rm::scheduler {
namespace {

// Jobs of 8 slots, by the hours they were served, ended or not.
class Past {
 public:
  void Ended(double hours, int64_t slots = 8) {
    Job& job = Add(hours, slots);
    job.state = pb::SUCCEEDED;
    job.ended = job.submitted + absl::Hours(1) * 2 * hours;
    history_.End(job);
  }
  void Running(double hours) { Add(hours, 8).state = pb::RUNNING; }

  const History& history() const { return history_; }

 private:
  Job& Add(double hours, int64_t slots) {
    Job& job = jobs_.emplace_back();
    job.sequence = static_cast<int64_t>(jobs_.size());
    job.submitted = absl::UnixEpoch();
    job.served_before = absl::Hours(1) * hours;
    pb::ResourceSpec& resources = *job.submission.mutable_spec()->mutable_resources();
    resources.set_ranks_max(1);
    resources.set_slots_per_rank(static_cast<int32_t>(slots));
    history_.Add(job);
    return job;
  }

  std::deque<Job> jobs_;
  History history_;
};

const absl::Time kNow = absl::UnixEpoch() + absl::Hours(1000);

double HeadStartHours(const Past& past, double small_hours) {
  return absl::ToDoubleHours(HeadStart(past.history(), 8, small_hours * 3600, kNow));
}

TEST_CASE("of few jobs no mean is taken") {
  Past past;
  for (int i = 0; i < 9; ++i) past.Ended(100);
  CHECK(MeanService(past.history()) == Approx(10 * 3600));
  past.Ended(100);
  CHECK(MeanService(past.history()) == Approx(100 * 8 * 3600));
}

TEST_CASE("small is about half the mean, and changes in steps") {
  Past past;
  for (int i = 0; i < 20; ++i) past.Ended(1);
  const double small = SmallService(past.history());
  CHECK(small > 0.4 * 8 * 3600);
  CHECK(small < 0.8 * 8 * 3600);
  past.Ended(1.01);
  CHECK(SmallService(past.history()) == small);
}

TEST_CASE("without jobs to learn from, a head start lasts until a job is no small one") {
  Past past;
  for (int i = 0; i < 7; ++i) past.Ended(100);
  CHECK(HeadStartHours(past, 80) == Approx(10));
}

TEST_CASE("where nearly all jobs of a size are large there is no head start") {
  Past past;
  for (int i = 0; i < 100; ++i) past.Ended(50);
  CHECK(HeadStartHours(past, 80) == 0);
  past.Ended(1);  // one of a hundred is not enough
  CHECK(HeadStartHours(past, 80) == 0);
}

TEST_CASE("a head start ends when nobody who lasted so long was small") {
  Past past;
  for (int i = 0; i < 30; ++i) past.Ended(2);
  for (int i = 0; i < 30; ++i) past.Ended(50);
  CHECK(HeadStartHours(past, 80) == Approx(2));
  // As many small ones just below the bound keep it up to there.
  for (int i = 0; i < 30; ++i) past.Ended(9);
  CHECK(HeadStartHours(past, 80) == Approx(9));
}

TEST_CASE("a job that still runs counts as having taken at least so much") {
  Past past;
  for (int i = 0; i < 3; ++i) past.Ended(1);
  for (int i = 0; i < 300; ++i) past.Running(60);
  CHECK(HeadStartHours(past, 80) == 0);
}

TEST_CASE("other sizes teach nothing") {
  Past past;
  for (int i = 0; i < 100; ++i) past.Ended(50, 1);
  CHECK(HeadStartHours(past, 80) == Approx(10));
}

TEST_CASE("patience follows the mean completion time, and is a week at least") {
  Past past;
  CHECK(Patience(past.history()) == absl::Hours(7 * 24));
  for (int i = 0; i < 20; ++i) past.Ended(1);
  CHECK(Patience(past.history()) == absl::Hours(7 * 24));
  for (int i = 0; i < 20; ++i) past.Ended(99);
  CHECK(Patience(past.history()) == absl::Hours(1000));
}

}  // namespace
}  // namespace rm::scheduler
