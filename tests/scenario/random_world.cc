#include "tests/scenario/random_world.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "scheduler/core/event_testing.h"

namespace rm::scenario {

namespace testing = scheduler::testing;

using scheduler::ClusterState;
using scheduler::GangRank;
using scheduler::Job;
using scheduler::RankPhase;
using scheduler::Worker;
using testing::Ref;

namespace {

constexpr int kWorkers = 6;

}  // namespace

std::vector<pb::Event> RandomWorld::Next(const ClusterState& state) {
  std::vector<pb::Event> events;
  const uint64_t count = random_.NextBelow(4);
  for (uint64_t i = 0; i < count; ++i) events.push_back(One(state));
  return events;
}

absl::Duration RandomWorld::NextPause() {
  static constexpr int64_t kPauses[] = {0, 1, 1, 1, 3, 10, 45};
  return absl::Seconds(kPauses[random_.NextBelow(7)]);
}

pb::Event RandomWorld::One(const ClusterState& state) {
  if (Chance(10)) return OfWorker(state);
  if (Chance(12)) return NewJob();
  if (Chance(12)) return OfPeople();
  if (Chance(1)) return testing::Started();
  if (Chance(1)) return pb::Event();
  return OfRank(state);
}

std::string RandomWorld::AnyJob() { return absl::StrCat("j", Below(jobs_ + 2)); }
std::string RandomWorld::AnyWorker() { return absl::StrCat("w", Below(kWorkers)); }

pb::Event RandomWorld::NewJob() {
  if (jobs_ == kWorldJobsMax) return testing::Tick();
  const int ranks = 1 + Below(4);
  pb::Event event = testing::Submit(Chance(3) ? AnyJob() : absl::StrCat("j", jobs_++), ranks);
  pb::SubmitJob& submit = *event.mutable_submit();
  submit.set_preflight_pending(Chance(30));
  pb::SchedulingSpec& scheduling = *submit.mutable_spec()->mutable_scheduling();
  scheduling.set_priority(Below(3));
  scheduling.set_max_restarts(Below(6));
  scheduling.set_recovery_grace(Chance(30) ? 0 : 20);
  scheduling.set_grace_period(Chance(20) ? 0 : 10);
  if (Chance(20)) scheduling.set_time_limit(60);
  if (Chance(20)) scheduling.set_queue_timeout(40);
  pb::ResourceSpec& resources = *submit.mutable_spec()->mutable_resources();
  if (Chance(30)) resources.set_ranks_min(1);
  if (Chance(20)) resources.set_slots_per_rank(2);
  if (Chance(15)) (*resources.mutable_node_selector())["zone"] = "a";
  if (Chance(5)) resources.set_ranks_min(0);
  return event;
}

pb::Event RandomWorld::OfPeople() {
  switch (Below(6)) {
    case 0: return testing::Cancel(AnyJob());
    case 1: return testing::Kill(AnyJob());
    case 2:
    case 3: return testing::Pause(AnyJob());
    default: return testing::Resume(AnyJob());
  }
}

pb::Event RandomWorld::OfWorker(const ClusterState& state) {
  const std::string id = AnyWorker();
  if (Chance(25)) return testing::Lost(id);
  if (Chance(20)) return testing::Silent(id);
  if (Chance(30)) return testing::Heard(id);
  const Worker* worker = state.FindWorker(id);
  const int slots =
      worker == nullptr || Chance(10) ? 1 + Below(4) : static_cast<int>(worker->slots.size());
  pb::Event event = testing::Attach(id, Chance(2) ? 0 : slots, Running(state, id));
  if (Chance(50)) (*event.mutable_worker_attached()->mutable_labels())["zone"] = "a";
  if (Chance(10)) event.mutable_worker_attached()->set_storage_problem("no such folder");
  return event;
}

std::vector<pb::RankRef> RandomWorld::Running(const ClusterState& state,
                                              const std::string& worker) {
  std::vector<pb::RankRef> running;
  for (const auto& [id, job] : state.jobs()) {
    for (const GangRank& rank : job.gang) {
      if (rank.where.worker_id() != worker || rank.gone() || Chance(10)) continue;
      running.push_back(Ref(id, job.generation, rank.where.rank()));
    }
  }
  if (Chance(20)) running.push_back(Ref(AnyJob(), Below(3), Below(4)));
  return running;
}

pb::Event RandomWorld::OfRank(const ClusterState& state) {
  std::vector<std::pair<const Job*, const GangRank*>> living;
  for (const auto& [id, job] : state.jobs()) {
    if (job.preflight_pending && Chance(30)) {
      return testing::Verdict(
          id, Chance(15) ? std::vector<std::string>{"no data"} : std::vector<std::string>());
    }
    for (const GangRank& rank : job.gang) {
      if (!rank.gone()) living.emplace_back(&job, &rank);
    }
  }
  if (living.empty() || Chance(4)) {
    return testing::By(Chance(50) ? AnyWorker() : "",
                       AnyReport(Ref(AnyJob(), Below(4), Below(5) - 1)));
  }
  const auto& [job, rank] = living[random_.NextBelow(living.size())];
  return NextReport(*job, *rank);
}

pb::Event RandomWorld::NextReport(const Job& job, const GangRank& rank) {
  const pb::RankRef ref = Ref(job.id(), job.generation, rank.where.rank());
  const bool leaving = job.state == pb::STOPPING || job.gang_phase == pb::LEAVING;
  if (leaving || Chance(6)) return End(ref);
  if (Chance(3)) return testing::Hung(ref, Below(3), Chance(70) ? "RankHung" : "GangStandsStill");
  if (Chance(3)) return testing::NoticeOf(ref, "CheckpointFailed");
  if (rank.phase == RankPhase::kAssigned) {
    return Chance(4) ? testing::Refused(ref) : testing::Listening(ref);
  }
  if (rank.phase == RankPhase::kListening) return testing::Joined(ref, Below(10));
  if (job.training_done) return testing::Exited(ref, 0, 100);
  if (Chance(20)) return testing::Done(ref, 100);
  return testing::Checkpoint(ref, Below(100));
}

pb::Event RandomWorld::End(const pb::RankRef& ref) {
  switch (Below(5)) {
    case 0: return testing::Exited(ref, 0, Below(3));
    case 1: return testing::Exited(ref, 1, Below(3));
    case 2: return testing::PeerLost(ref, Below(3));
    default: return testing::Killed(ref, Chance(70) ? 9 : 11, Below(3));
  }
}

pb::Event RandomWorld::AnyReport(const pb::RankRef& ref) {
  switch (Below(8)) {
    case 6: return testing::Hung(ref);
    case 7: return testing::NoticeOf(ref, "");
    case 0: return testing::Listening(ref);
    case 1: return testing::Joined(ref);
    case 2: return testing::Refused(ref);
    case 3: return testing::Checkpoint(ref, 1);
    case 4: return testing::Done(ref, 1);
    default: return End(ref);
  }
}

}  // namespace rm::scenario
