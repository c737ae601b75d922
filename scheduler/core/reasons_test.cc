#include "scheduler/core/reasons.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace rm::scheduler {
namespace {

int64_t Equal(const Job& /*job*/) { return 0; }

// Job "a" with ranks 0 and 1 on worker w1 of host alpha.
struct Fixture {
  Fixture() : state(&Equal, Windows()) {
    pb::WorkerTransition ready;
    ready.set_worker_id("w1");
    ready.set_to(pb::READY);
    ready.set_slots(2);
    ready.set_host("alpha");
    REQUIRE(state.Apply(ready).ok());
    job.submission.set_job_id("a");
    job.gang.resize(2);
    for (GangRank& rank : job.gang) rank.where.set_worker_id("w1");
  }
  pb::RankExited Exit(int code, int signal) {
    pb::RankExited event;
    event.mutable_rank()->set_rank(1);
    event.set_exit_code(code);
    event.set_signal(signal);
    event.set_step(57);
    return event;
  }
  std::string Lost(const pb::RankExited& event) {
    const pb::Reason reason = RankLostReason(state, job, event);
    return reason.code() + ": " + reason.sentence();
  }
  ClusterState state;
  Job job;
};

TEST_CASE_METHOD(Fixture, "a lost rank is named with its host, its end and its step") {
  const std::string rank = "rank 1 of job a on host alpha (worker w1)";
  CHECK(Lost(Exit(3, 0)) == "RankLost: " + rank + " exited with code 3 after step 57");
  CHECK(Lost(Exit(0, 9)) ==
        "RankLost: " + rank + " was killed by signal 9 (SIGKILL) after step 57");
  CHECK(Lost(Exit(0, 62)) == "RankLost: " + rank + " was killed by signal 62 after step 57");
}

TEST_CASE_METHOD(Fixture, "what a rank said itself is its code and goes before its log") {
  pb::RankExited event = Exit(1, 0);
  event.mutable_cause()->set_code("BadRecord");
  event.mutable_cause()->set_sentence("data/train:77: label 12 of 10");
  event.set_last_log_lines("loading\nfailed\n");
  CHECK(Lost(event) ==
        "BadRecord: rank 1 of job a on host alpha (worker w1) exited with code 1 after step 57: "
        "data/train:77: label 12 of 10");
}

TEST_CASE_METHOD(Fixture, "without a word of its own the last line of its log is shown, cut") {
  pb::RankExited event = Exit(0, 11);
  event.set_last_log_lines("loading\n  Segmentation fault  \n\n");
  CHECK(Lost(event) ==
        "RankLost: rank 1 of job a on host alpha (worker w1) was killed by signal 11 (SIGSEGV) "
        "after step 57; its last line: Segmentation fault");
  event.set_last_log_lines(std::string(5000, 'x'));
  CHECK(Lost(event).size() < 400);
}

TEST_CASE_METHOD(Fixture, "a rank of a worker that nobody knows has no host") {
  job.gang[1].where.set_worker_id("w9");
  CHECK(RankName(state, job, 1) == "rank 1 of job a on host ? (worker w9)");
}

TEST_CASE("a gang is named by its workers, or counted when they are many") {
  const auto gang = [](int workers, int ranks) {
    std::vector<pb::Placement> placements;
    for (int rank = 0; rank < ranks; ++rank) {
      placements.emplace_back();
      placements.back().set_worker_id("w" + std::to_string(rank % workers + 1));
    }
    return GangText(placements);
  };
  CHECK(gang(1, 1) == "1 rank on worker w1");
  CHECK(gang(1, 3) == "3 ranks on worker w1");
  CHECK(gang(2, 3) == "3 ranks on workers w1, w2");
  CHECK(gang(4, 4) == "4 ranks on workers w1, w2, w3, w4");
  CHECK(gang(5, 64) == "64 ranks on 5 workers");
}

TEST_CASE("counts have the right number") {
  CHECK(CountText(0, "slot") == "0 slots");
  CHECK(CountText(1, "slot") == "1 slot");
  CHECK(CountText(2, "slot") == "2 slots");
}

TEST_CASE("the last checkpoint is said, step 0 too") {
  Job job;
  CHECK(CheckpointText(job) == "it has no checkpoint");
  job.last_checkpoint_step = 0;
  CHECK(CheckpointText(job) == "its last checkpoint is of step 0");
  CHECK(WithCheckpoint(job, MakeReason("Code", "it ended")).sentence() ==
        "it ended; its last checkpoint is of step 0");
}

}  // namespace
}  // namespace rm::scheduler
