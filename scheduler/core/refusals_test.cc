// Which event is legal in which state: the whole table.
#include "scheduler/core/refusals.h"

#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "scheduler/core/event_testing.h"
#include "scheduler/core/scheduler.h"
#include "scheduler/state/job_state.h"

namespace rm::scheduler {
namespace {

using testing::Ref;

// Brings job "a" of two ranks into one situation after the other. Rank 0 of its first generation is
// what the events of the table tell of.
class Stage {
 public:
  Stage() : scheduler_(*Scheduler::Create(SchedulerOptions())) {}

  void Step(const std::vector<pb::Event>& events) {
    now_ += absl::Seconds(1);
    scheduler_->Step(events, now_);
  }
  void Submit(bool preflight = false) {
    pb::Event event = testing::Submit("a", 2);
    event.mutable_submit()->set_preflight_pending(preflight);
    Step({event});
  }
  void Start() {
    Submit();
    Step({testing::Attach("w1", 2)});
  }
  void Run() {
    Start();
    Step({testing::Listening(Rank(0)), testing::Listening(Rank(1)), testing::Joined(Rank(0)),
          testing::Joined(Rank(1))});
  }
  void Leave(const pb::Event& asked) {
    Run();
    Step({asked});
    Step({testing::Exited(Rank(0), 0), testing::Exited(Rank(1), 0)});
  }
  static pb::RankRef Rank(int rank) { return Ref("a", 1, rank); }
  const ClusterState& state() const { return scheduler_->state(); }

 private:
  std::unique_ptr<Scheduler> scheduler_;
  absl::Time now_ = absl::FromUnixSeconds(1000);
};

struct Situation {
  std::string name;
  std::function<void(Stage&)> reach;
};

std::vector<Situation> Situations() {
  const pb::RankRef one = Stage::Rank(1);
  return {
      {"unknown", [](Stage&) {}},
      {"Queued, unchecked", [](Stage& s) { s.Submit(true); }},
      {"Queued", [](Stage& s) { s.Submit(); }},
      {"Starting", [](Stage& s) { s.Start(); }},
      {"Starting, listening",
       [](Stage& s) {
         s.Start();
         s.Step({testing::Listening(Stage::Rank(0))});
       }},
      {"Running", [](Stage& s) { s.Run(); }},
      {"Running, done",
       [](Stage& s) {
         s.Run();
         s.Step({testing::Done(Stage::Rank(1), 5)});
       }},
      {"Recovering",
       [one](Stage& s) {
         s.Run();
         s.Step({testing::Killed(one, 9)});
       }},
      {"Stopping to Paused",
       [](Stage& s) {
         s.Run();
         s.Step({testing::Pause("a")});
       }},
      {"Stopping to Queued",
       [](Stage& s) {
         s.Run();
         s.Step({testing::Pause("a"), testing::Resume("a")});
       }},
      {"Stopping to Cancelled",
       [](Stage& s) {
         s.Run();
         s.Step({testing::Cancel("a")});
       }},
      {"Stopping, killed",
       [](Stage& s) {
         s.Run();
         s.Step({testing::Kill("a")});
       }},
      {"Paused", [](Stage& s) { s.Leave(testing::Pause("a")); }},
      {"Succeeded", [](Stage& s) { s.Leave(testing::Done(Stage::Rank(0), 5)); }},
      {"Cancelled", [](Stage& s) { s.Leave(testing::Cancel("a")); }},
  };
}

template <typename Payload>
std::string Code(const ClusterState& state, const Payload& payload) {
  const Refused refused = Refuse(state, payload);
  return refused ? refused->code() : "";
}

// The code with which each event would be refused; empty: it would be taken.
std::map<std::string, std::string> CodesIn(const ClusterState& state) {
  const pb::RankRef rank = Stage::Rank(0);
  return {
      {"cancel", Code(state, testing::Cancel("a").cancel())},
      {"kill", Code(state, testing::Kill("a").cancel())},
      {"pause", Code(state, testing::Pause("a").pause())},
      {"resume", Code(state, testing::Resume("a").resume())},
      {"verdict", Code(state, testing::Verdict("a", {}).preflight())},
      {"listen", Code(state, testing::Listening(rank).rank_listening())},
      {"join", Code(state, testing::Joined(rank).rank_joined())},
      {"refuse", Code(state, testing::Refused(rank).start_refused())},
      {"exit", Code(state, testing::Exited(rank, 0).rank_exited())},
      {"checkpoint", Code(state, testing::Checkpoint(rank, 5).checkpoint_committed())},
      {"done", Code(state, testing::Done(rank, 5).training_done())},
      {"hung", Code(state, testing::Hung(rank, 5).rank_hung())},
      {"notice", Code(state, testing::NoticeOf(rank, "X").rank_notice())},
  };
}

// What is refused in each situation; every other event is taken there.
const std::map<std::string, std::map<std::string, std::string>>& Table() {
  static const auto& table = *new std::map<std::string, std::map<std::string, std::string>>{
      {"Queued, unchecked",
       {{"resume", "NotPaused"},
        {"listen", "StaleGeneration"},
        {"join", "StaleGeneration"},
        {"refuse", "StaleGeneration"},
        {"exit", "StaleGeneration"},
        {"checkpoint", "StaleGeneration"},
        {"done", "StaleGeneration"},
        {"hung", "StaleGeneration"},
        {"notice", "StaleGeneration"}}},
      {"Queued",
       {{"resume", "NotPaused"},
        {"verdict", "NotPending"},
        {"listen", "StaleGeneration"},
        {"join", "StaleGeneration"},
        {"refuse", "StaleGeneration"},
        {"exit", "StaleGeneration"},
        {"checkpoint", "StaleGeneration"},
        {"done", "StaleGeneration"},
        {"hung", "StaleGeneration"},
        {"notice", "StaleGeneration"}}},
      {"Starting", {{"resume", "NotPaused"}, {"verdict", "NotPending"}, {"join", "NotListening"}}},
      {"Starting, listening",
       {{"resume", "NotPaused"},
        {"verdict", "NotPending"},
        {"listen", "AlreadyListening"},
        {"refuse", "NotAssigned"}}},
      {"Running",
       {{"resume", "NotPaused"},
        {"verdict", "NotPending"},
        {"listen", "AlreadyListening"},
        {"join", "AlreadyJoined"},
        {"refuse", "NotAssigned"}}},
      {"Running, done",
       {{"hung", "AlreadyDone"},
        {"pause", "AlreadyDone"},
        {"resume", "NotPaused"},
        {"verdict", "NotPending"},
        {"listen", "AlreadyListening"},
        {"join", "AlreadyJoined"},
        {"refuse", "NotAssigned"},
        {"done", "AlreadyDone"}}},
      {"Recovering",
       {{"hung", "AlreadyLeaving"},
        {"resume", "NotPaused"},
        {"verdict", "NotPending"},
        {"listen", "AlreadyListening"},
        {"join", "AlreadyJoined"},
        {"refuse", "NotAssigned"}}},
      {"Stopping to Paused",
       {{"hung", "AlreadyStopping"},
        {"pause", "AlreadyStopping"},
        {"verdict", "NotPending"},
        {"listen", "AlreadyListening"},
        {"join", "AlreadyJoined"},
        {"refuse", "NotAssigned"}}},
      {"Stopping to Queued",
       {{"hung", "AlreadyStopping"},
        {"resume", "NotPaused"},
        {"verdict", "NotPending"},
        {"listen", "AlreadyListening"},
        {"join", "AlreadyJoined"},
        {"refuse", "NotAssigned"}}},
      {"Stopping to Cancelled",
       {{"hung", "AlreadyStopping"},
        {"cancel", "AlreadyStopping"},
        {"pause", "AlreadyStopping"},
        {"resume", "NotPaused"},
        {"verdict", "NotPending"},
        {"listen", "AlreadyListening"},
        {"join", "AlreadyJoined"},
        {"refuse", "NotAssigned"}}},
      {"Stopping, killed",
       {{"hung", "AlreadyStopping"},
        {"cancel", "AlreadyStopping"},
        {"kill", "AlreadyStopping"},
        {"pause", "AlreadyStopping"},
        {"resume", "NotPaused"},
        {"verdict", "NotPending"},
        {"listen", "AlreadyListening"},
        {"join", "AlreadyJoined"},
        {"refuse", "NotAssigned"}}},
      {"Paused",
       {{"pause", "AlreadyPaused"},
        {"verdict", "NotPending"},
        {"listen", "RankGone"},
        {"join", "RankGone"},
        {"refuse", "RankGone"},
        {"exit", "RankGone"},
        {"done", "NoGang"},
        {"hung", "RankGone"}}},
  };
  return table;
}

TEST_CASE("each event is taken or refused in each situation as the table says") {
  for (const Situation& situation : Situations()) {
    Stage stage;
    situation.reach(stage);
    const Job* job = stage.state().FindJob("a");
    for (const auto& [event, code] : CodesIn(stage.state())) {
      INFO(situation.name << ", " << event);
      if (job == nullptr) {
        CHECK(code == "UnknownJob");
      } else if (IsEnded(job->state)) {
        CHECK(code == "JobEnded");
      } else {
        const auto& row = Table().at(situation.name);
        CHECK(code == (row.count(event) > 0 ? row.at(event) : ""));
      }
    }
  }
}

TEST_CASE("the situations are what their names say") {
  for (const Situation& situation : Situations()) {
    Stage stage;
    situation.reach(stage);
    const Job* job = stage.state().FindJob("a");
    const std::string name = job == nullptr ? "unknown" : std::string(StateName(job->state));
    INFO(situation.name << " is " << name);
    CHECK(situation.name.rfind(name, 0) == 0);
  }
}

TEST_CASE("a rank must be of the gang and of its present generation") {
  Stage stage;
  stage.Run();
  struct Row {
    pb::RankRef rank;
    std::string code;
  };
  const Row kRows[] = {
      {Ref("a", 1, 0), ""},
      {Ref("a", 0, 0), "StaleGeneration"},
      {Ref("a", 2, 0), "StaleGeneration"},
      {Ref("a", 1, 2), "UnknownRank"},
      {Ref("a", 1, -1), "UnknownRank"},
      {Ref("b", 1, 0), "UnknownJob"},
  };
  for (const Row& row : kRows) {
    INFO(row.rank.ShortDebugString());
    CHECK(Code(stage.state(), testing::Exited(row.rank, 0).rank_exited()) == row.code);
    CHECK(Code(stage.state(), testing::Done(row.rank, 1).training_done()) == row.code);
  }
}

TEST_CASE("a submission needs an id of its own and resources that can be") {
  Stage stage;
  stage.Submit();
  struct Row {
    std::string what;
    std::function<void(pb::SubmitJob&)> change;
    std::string code;
  };
  const auto resources = [](pb::SubmitJob& job) -> pb::ResourceSpec& {
    return *job.mutable_spec()->mutable_resources();
  };
  const Row kRows[] = {
      {"as it is", [](auto&) {}, ""},
      {"no id", [](auto& job) { job.clear_job_id(); }, "InvalidJob"},
      {"an id that is taken", [](auto& job) { job.set_job_id("a"); }, "DuplicateJob"},
      {"no rank", [&](auto& job) { resources(job).set_ranks_min(0); }, "InvalidJob"},
      {"min above max", [&](auto& job) { resources(job).set_ranks_min(3); }, "InvalidJob"},
      {"elastic", [&](auto& job) { resources(job).set_ranks_max(4); }, ""},
      {"the largest gang", [&](auto& job) { resources(job).set_ranks_max(1 << 16); }, ""},
      {"too large", [&](auto& job) { resources(job).set_ranks_max((1 << 16) + 1); }, "InvalidJob"},
      {"no slot", [&](auto& job) { resources(job).set_slots_per_rank(0); }, "InvalidJob"},
      {"less than no slot", [&](auto& job) { resources(job).set_slots_per_rank(-1); },
       "InvalidJob"},
      {"the widest rank", [&](auto& job) { resources(job).set_slots_per_rank(1 << 12); }, ""},
      {"too wide", [&](auto& job) { resources(job).set_slots_per_rank(4097); }, "InvalidJob"},
      {"placement pack", [&](auto& job) { resources(job).set_placement("pack"); }, ""},
      {"another placement", [&](auto& job) { resources(job).set_placement("x"); }, "InvalidJob"},
  };
  for (const Row& row : kRows) {
    INFO(row.what);
    pb::SubmitJob submission = testing::Submit("b", 2).submit();
    row.change(submission);
    CHECK(Code(stage.state(), submission) == row.code);
  }
}

TEST_CASE("a worker needs an id and slots, and is lost once") {
  Stage stage;
  const auto attach = [](const std::string& id, int slots) {
    return testing::Attach(id, slots).worker_attached();
  };
  CHECK(Code(stage.state(), attach("w1", 1)) == "");
  CHECK(Code(stage.state(), attach("w1", 4096)) == "");
  CHECK(Code(stage.state(), attach("", 1)) == "InvalidWorker");
  CHECK(Code(stage.state(), attach("w1", 0)) == "InvalidWorker");
  CHECK(Code(stage.state(), attach("w1", 4097)) == "InvalidWorker");
  const auto lost = testing::Lost("w1").worker_lost();
  CHECK(Code(stage.state(), lost) == "UnknownWorker");
  stage.Step({testing::Attach("w1", 1)});
  CHECK(Code(stage.state(), lost) == "");
  stage.Step({testing::Lost("w1")});
  CHECK(Code(stage.state(), lost) == "AlreadyLost");
}

TEST_CASE("a worker falls silent when it is Ready, and is heard when it is silent") {
  struct Row {
    std::vector<pb::Event> events;
    std::string silent;
    std::string heard;
    std::string lost;
  };
  const Row kRows[] = {
      {{}, "UnknownWorker", "UnknownWorker", "UnknownWorker"},
      {{testing::Attach("w1", 1)}, "", "NotSilent", ""},
      {{testing::Silent("w1")}, "NotReady", "", ""},
      {{testing::Heard("w1")}, "", "NotSilent", ""},
      {{testing::Silent("w1"), testing::Attach("w1", 1)}, "", "NotSilent", ""},
      {{testing::Silent("w1"), testing::Started()}, "NotReady", "NotSilent", ""},
      {{testing::Lost("w1")}, "AlreadyLost", "NotSilent", "AlreadyLost"},
  };
  Stage stage;
  for (const Row& row : kRows) {
    for (const pb::Event& event : row.events) stage.Step({event});
    const Worker* const worker = stage.state().FindWorker("w1");
    INFO((worker == nullptr ? "unknown" : pb::WorkerState_Name(worker->state)));
    CHECK(Code(stage.state(), testing::Silent("w1").worker_silent()) == row.silent);
    CHECK(Code(stage.state(), testing::Heard("w1").worker_heard()) == row.heard);
    CHECK(Code(stage.state(), testing::Lost("w1").worker_lost()) == row.lost);
  }
}

TEST_CASE("a rank may hang while the cause of a loss is awaited") {
  Stage stage;
  stage.Run();
  stage.Step({testing::PeerLost(Stage::Rank(0))});
  REQUIRE(stage.state().FindJob("a")->gang_phase == pb::CAUSE_UNKNOWN);
  CHECK(Code(stage.state(), testing::Hung(Stage::Rank(1)).rank_hung()) == "");
  CHECK(Code(stage.state(), testing::Hung(Stage::Rank(0)).rank_hung()) == "RankGone");
}

TEST_CASE("a worker that comes back keeps the ranks that the journal places on it, alive") {
  Stage stage;
  stage.Run();
  stage.Step({testing::Attach("w2", 2)});
  const Worker& w1 = *stage.state().FindWorker("w1");
  const Worker& w2 = *stage.state().FindWorker("w2");
  const auto code = [&](const Worker& worker, const pb::RankRef& rank) {
    const Refused refused = RefuseRunning(stage.state(), worker, rank);
    return refused ? refused->code() : "";
  };
  CHECK(code(w1, Ref("a", 1, 0)) == "");
  CHECK(code(w2, Ref("a", 1, 0)) == "UnknownRank");
  CHECK(code(w1, Ref("a", 7, 0)) == "StaleGeneration");
  CHECK(code(w1, Ref("b", 1, 0)) == "UnknownJob");
  stage.Step({testing::Cancel("a"), testing::Exited(Ref("a", 1, 0), 0)});
  CHECK(code(w1, Ref("a", 1, 0)) == "RankGone");
}

TEST_CASE("every refusal says what it is about") {
  Stage stage;
  stage.Run();
  const Refused refused = Refuse(stage.state(), testing::Exited(Ref("a", 7, 0), 0).rank_exited());
  REQUIRE(refused);
  CHECK(refused->sentence() == "generation 7 of job a is not the present one, 1");
}

}  // namespace
}  // namespace rm::scheduler
