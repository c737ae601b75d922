#include "scheduler/state/attach.h"

#include <catch2/catch.hpp>

namespace rm::scheduler {
namespace {

// Job "a" of generation 2 with three ranks of two slots each on one worker of six.
struct Fixture {
  Fixture() {
    job.submission.set_job_id("a");
    job.generation = 2;
    job.gang_phase = pb::COMING_UP;
    job.gang.resize(3);
    worker.slots.resize(6);
    for (size_t slot = 0; slot < 6; ++slot) {
      worker.slots[slot] = {&job, static_cast<int32_t>(slot / 2)};
    }
  }
  void Run(int64_t generation, int rank) {
    pb::RankRef& running = *attached.add_running();
    running.set_job_id("a");
    running.set_generation(generation);
    running.set_rank(rank);
  }
  Job job;
  Worker worker;
  pb::WorkerAttached attached;
};

TEST_CASE_METHOD(Fixture, "a rank is listed once, however many slots it holds") {
  worker.slots[0] = Slot();
  CHECK(HeldRanks(worker) == std::vector<JobRank>{{&job, 0}, {&job, 1}, {&job, 2}});
  worker.slots[1] = Slot();
  CHECK(HeldRanks(worker) == std::vector<JobRank>{{&job, 1}, {&job, 2}});
}

TEST_CASE_METHOD(Fixture, "a worker runs a rank only of the present generation") {
  Run(1, 0);
  Run(2, 1);
  CHECK_FALSE(Runs(attached, job, 0));
  CHECK(Runs(attached, job, 1));
  CHECK_FALSE(Runs(attached, job, 2));
}

TEST_CASE_METHOD(Fixture, "a rank that was heard of and is not named is missing") {
  for (GangRank& rank : job.gang) rank.phase = RankPhase::kListening;
  Run(2, 1);
  CHECK(MissingRanks(worker, attached) == std::vector<JobRank>{{&job, 0}, {&job, 2}});
}

TEST_CASE_METHOD(Fixture, "a rank that never said a word may have missed its start") {
  job.gang[0].phase = RankPhase::kJoined;
  CHECK(MissingRanks(worker, attached) == std::vector<JobRank>{{&job, 0}});
}

TEST_CASE_METHOD(Fixture, "a rank that shall not start any more and is not named is missing") {
  job.gang_phase = pb::LEAVING;
  Run(2, 2);
  CHECK(MissingRanks(worker, attached) == std::vector<JobRank>{{&job, 0}, {&job, 1}});
}

TEST_CASE_METHOD(Fixture, "a rank that is gone is not missing") {
  for (GangRank& rank : job.gang) rank.phase = RankPhase::kGone;
  CHECK(MissingRanks(worker, attached).empty());
}

TEST_CASE_METHOD(Fixture, "a worker without the storage starts no rank that never said a word") {
  attached.set_storage_problem("not mounted");
  Run(2, 1);
  CHECK(MissingRanks(worker, attached) == std::vector<JobRank>{{&job, 0}, {&job, 2}});
}

}  // namespace
}  // namespace rm::scheduler
