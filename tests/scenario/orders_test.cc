// Reports of different workers overtake each other: whatever the order, the story ends the same.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "scheduler/core/event_testing.h"
#include "scheduler/core/scheduler.h"
#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

using testing::Attach;
using testing::Cancel;
using testing::Checkpoint;
using testing::Done;
using testing::Exited;
using testing::Joined;
using testing::Killed;
using testing::Listening;
using testing::Lost;
using testing::PeerLost;
using testing::Ref;
using testing::Submit;

// What one source (a worker, a person) says, in its own order.
using Line = std::vector<pb::Event>;

const pb::RankRef kRank0 = Ref("a", 1, 0);
const pb::RankRef kRank1 = Ref("a", 1, 1);

// Job "a" on workers w1 and w2, one rank each.
class Play {
 public:
  Play() : scheduler_(*Scheduler::Create(SchedulerOptions())) {
    Tell(Attach("w1", 1));
    Tell(Attach("w2", 1));
    Tell(Submit("a", 2));
  }
  void Tell(const pb::Event& event) {
    now_ += absl::Milliseconds(10);
    const StepResult result = scheduler_->Step({event}, now_);
    for (const auto& transition : result.record.job_transitions()) {
      if (transition.gang_phase() == pb::LEAVING) cause_ = transition.reason();
    }
  }
  void Listen() {
    Tell(Listening(kRank0));
    Tell(Listening(kRank1));
  }
  void Run() {
    Listen();
    Tell(Joined(kRank0));
    Tell(Joined(kRank1));
  }
  const Job& job() const { return *scheduler_->state().FindJob("a"); }
  const pb::Reason& cause() const { return cause_; }

 private:
  std::unique_ptr<Scheduler> scheduler_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
  pb::Reason cause_;
};

// Calls `check` after each way to interleave `lines` into `play`; gives the number of ways.
int ForEachOrder(const std::vector<Line>& lines, const std::function<void(Play&)>& begin,
                 const std::function<void(const Play&)>& check) {
  std::vector<size_t> turns;
  for (size_t line = 0; line < lines.size(); ++line) {
    turns.insert(turns.end(), lines[line].size(), line);
  }
  int ways = 0;
  do {
    Play play;
    begin(play);
    std::vector<size_t> next(lines.size(), 0);
    std::string order;
    for (const size_t line : turns) {
      order += std::to_string(line);
      play.Tell(lines[line][next[line]++]);
    }
    INFO("order of the lines " << order << ": " << StateName(play.job().state) << ", "
                               << play.job().reason.sentence());
    check(play);
    ++ways;
  } while (std::next_permutation(turns.begin(), turns.end()));
  return ways;
}

TEST_CASE("a job that has trained to its end succeeds, whoever leaves first") {
  const std::vector<Line> lines = {{Checkpoint(kRank0, 100), Done(kRank0, 100), Exited(kRank0, 0)},
                                   {Checkpoint(kRank1, 100), Exited(kRank1, 0)}};
  const int ways = ForEachOrder(lines, &Play::Run, [](const Play& play) {
    CHECK(play.job().state == pb::SUCCEEDED);
    CHECK(play.job().restarts == 0);
  });
  CHECK(ways == 10);
}

TEST_CASE("a job so short that it is done before all are known to have joined succeeds") {
  const std::vector<Line> lines = {{Joined(kRank0), Done(kRank0, 3), Exited(kRank0, 0)},
                                   {Joined(kRank1), Exited(kRank1, 0)}};
  ForEachOrder(lines, &Play::Listen, [](const Play& play) {
    CHECK(play.job().state == pb::SUCCEEDED);
    CHECK(play.job().restarts == 0);
  });
}

TEST_CASE("a cancel while the last ranks leave changes nothing") {
  const std::vector<Line> lines = {
      {Done(kRank0, 100), Exited(kRank0, 0)}, {Exited(kRank1, 0)}, {Cancel("a")}};
  ForEachOrder(lines, &Play::Run,
               [](const Play& play) { CHECK(play.job().state == pb::SUCCEEDED); });
}

TEST_CASE("the cause of a recovery is the rank that died, not the one that noticed") {
  const std::vector<Line> lines = {{PeerLost(kRank0, 57)}, {Killed(kRank1, 9, 57)}};
  ForEachOrder(lines, &Play::Run, [](const Play& play) {
    CHECK(play.job().state == pb::RECOVERING);
    CHECK(play.job().generation == 2);
    CHECK(play.job().restarts == 1);
    CHECK(play.cause().code() == "RankLost");
    CHECK(absl::StrContains(play.cause().sentence(), "rank 1 of job a"));
  });
}

TEST_CASE("the cause of a recovery is the worker that was lost, not the rank that noticed") {
  const std::vector<Line> lines = {{PeerLost(kRank0, 57)}, {Lost("w2")}, {Attach("w3", 1)}};
  ForEachOrder(lines, &Play::Run, [](const Play& play) {
    CHECK(play.job().state == pb::RECOVERING);
    CHECK(play.job().gang_phase == pb::COMING_UP);
    CHECK(play.job().restarts == 1);
    CHECK(play.cause().code() == "WorkerLost");
  });
}

TEST_CASE("a rank that leaves early is the cause, not the one that noticed") {
  const std::vector<Line> lines = {{PeerLost(kRank0, 57)}, {Exited(kRank1, 0, 57)}};
  ForEachOrder(lines, &Play::Run, [](const Play& play) {
    CHECK(play.job().restarts == 1);
    CHECK(play.cause().code() == "RankLeftEarly");
    CHECK(absl::StrContains(play.cause().sentence(), "rank 1 of job a"));
  });
}

TEST_CASE("two ranks that fail at once use up one restart") {
  const std::vector<Line> lines = {{Exited(kRank0, 1, 33)}, {Exited(kRank1, 1, 33)}};
  ForEachOrder(lines, &Play::Run, [](const Play& play) {
    CHECK(play.job().generation == 2);
    CHECK(play.job().restarts == 1);
    CHECK_FALSE(play.job().failed_again);
  });
}

TEST_CASE("a cancel and a crash at once: the job is on its way to Cancelled or there") {
  const std::vector<Line> lines = {{Cancel("a")}, {PeerLost(kRank0)}, {Killed(kRank1, 9)}};
  std::set<pb::JobState> states;
  ForEachOrder(lines, &Play::Run, [&](const Play& play) {
    const Job& job = play.job();
    CHECK((job.state == pb::CANCELLED ||
           (job.state == pb::STOPPING && job.stop_target == pb::CANCELLED)));
    states.insert(job.state);
  });
  CHECK(states.size() == 2);
}

TEST_CASE("a worker that was lost and a rank that dies while it comes up use up one restart") {
  const std::vector<Line> lines = {{Lost("w2")}, {Killed(kRank0, 11)}, {Attach("w3", 1)}};
  const auto coming_up = [](Play& play) { play.Tell(Listening(kRank0)); };
  ForEachOrder(lines, coming_up, [](const Play& play) {
    CHECK(play.job().restarts == 1);
    CHECK(play.job().generation == 2);
    CHECK(play.job().gang_phase == pb::COMING_UP);
  });
}

TEST_CASE(
    "a rank that hangs, its peers that notice and all ends: one restart, and the hang is why") {
  const std::vector<Line> lines = {
      {testing::Hung(kRank1, 33)}, {PeerLost(kRank0, 33)}, {Killed(kRank1, 9, 33)}};
  int hangs = 0;
  ForEachOrder(lines, &Play::Run, [&](const Play& play) {
    CHECK(play.job().restarts == 1);
    CHECK(play.job().generation == 2);
    CHECK(play.job().gang_phase == pb::COMING_UP);
    const std::string& code = play.cause().code();
    // Killed before anybody knew that it hung, it died.
    CHECK((code == "RankHung" || code == "RankLost"));
    hangs += code == "RankHung" ? 1 : 0;
  });
  CHECK(hangs == 3);
}

// A machine that loses its power: silence first, then its peers, then the verdict.
TEST_CASE("a silent worker that is lost while its peers notice: one restart, by the worker") {
  const std::vector<Line> lines = {
      {testing::Silent("w2"), Lost("w2")}, {PeerLost(kRank0, 57)}, {Attach("w3", 1)}};
  ForEachOrder(lines, &Play::Run, [](const Play& play) {
    CHECK(play.job().restarts == 1);
    CHECK(play.job().gang_phase == pb::COMING_UP);
    CHECK(play.cause().code() == "WorkerLost");
  });
}

TEST_CASE("a worker that is silent and heard again costs nothing, whatever happens meanwhile") {
  const std::vector<Line> lines = {{testing::Silent("w2"), testing::Heard("w2")},
                                   {Checkpoint(kRank0, 100), Done(kRank0, 100), Exited(kRank0, 0)},
                                   {Exited(kRank1, 0)}};
  ForEachOrder(lines, &Play::Run, [](const Play& play) {
    CHECK(play.job().state == pb::SUCCEEDED);
    CHECK(play.job().restarts == 0);
  });
}

}  // namespace
}  // namespace rm::scheduler
