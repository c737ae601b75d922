#include "scheduler/explain/queue_details.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/core/reasons.h"
#include "scheduler/explain/ago.h"
#include "scheduler/explain/idle.h"
#include "scheduler/explain/room.h"
#include "scheduler/placement/gang.h"
#include "scheduler/state/timer.h"

namespace rm::scheduler {
namespace {

// Farther back the number means nothing to anybody.
constexpr int64_t kPlacesCounted = 1000;

// "2 ranks of 1 slot each", "2 to 8 ranks of 4 slots each".
std::string NeedText(const pb::ResourceSpec& resources) {
  const std::string ranks =
      resources.ranks_min() == resources.ranks_max()
          ? CountText(resources.ranks_max(), "rank")
          : absl::StrCat(resources.ranks_min(), " to ", CountText(resources.ranks_max(), "rank"));
  return absl::StrCat(ranks, " of ", CountText(resources.slots_per_rank(), "slot"), " each");
}

// The job that the policy tries first among those that could fit at all.
const Job* HeadOfQueue(const ClusterState& state) {
  const Job* job = state.queue().First();
  while (job != nullptr &&
         RanksThatCouldFit(state, job->resources()) < job->resources().ranks_min()) {
    job = state.queue().After(*job);
  }
  return job;
}

bool AnyWorker(const ClusterState& state) {
  return std::any_of(state.workers().begin(), state.workers().end(),
                     [](const auto& entry) { return entry.second.state != pb::LOST; });
}

// Wanted, free, and what is in the way, in numbers.
std::string ShortageText(const ClusterState& state, const Job& job) {
  const SlotCount slots = CountSlots(state, job.resources());
  const int64_t room = RoomWithout(state, job.resources(), {});
  return absl::StrCat("job ", job.id(), " needs ", NeedText(job.resources()), "; ", slots.free,
                      " of ", slots.total,
                      job.resources().node_selector().empty() ? "" : " matching",
                      " slots are free, with room for ", CountText(room, "rank"));
}

// The smallest change that would let it start now.
void AddWhatWouldStartIt(const ClusterState& state, const Job& job, pb::Explanation& out) {
  const pb::ResourceSpec& resources = job.resources();
  const std::vector<const Job*> ends = EndsThatMakeRoom(state, resources, resources.ranks_min());
  if (!ends.empty()) {
    const std::string names = absl::StrJoin(ends, ", ", [](std::string* text, const Job* end) {
      absl::StrAppend(text, end->id(), end->state == pb::STOPPING ? " (it is stopping)" : "");
    });
    out.add_details(absl::StrCat("The end of ", ends.size() == 1 ? "job " : "jobs ", names,
                                 " would make room for ", job.id(), "."));
  }
  const int64_t missing = resources.ranks_min() - RoomWithout(state, resources, {});
  out.add_details(absl::StrCat("A worker with ",
                               CountText(missing * resources.slots_per_rank(), "free slot"),
                               " would make room", ends.empty() ? "." : ", too."));
}

// Not enough room: the numbers, the holders, and whose end would make room.
void ExplainShortage(const ClusterState& state, const Job& job, absl::Time now,
                     pb::Explanation& out) {
  AddWhatWouldStartIt(state, job, out);
  AddIdleWorkers(state, job, now, out);
  for (pb::Holder& holder : Holders(state, job.resources())) *out.add_holders() = std::move(holder);
}

// Whether it could run on the empty cluster if all workers saw the storage. Such a job is not told
// "never": a mount is put right sooner than a machine is bought.
bool FitsWithTheApart(const ClusterState& state, const pb::ResourceSpec& resources) {
  int64_t ranks = RanksThatCouldFit(state, resources);
  for (const auto& [id, worker] : state.workers()) {
    const bool apart = worker.state != pb::LOST && !worker.storage_problem.empty();
    if (!apart || !Matches(worker, resources)) continue;
    ranks += static_cast<int64_t>(worker.slots.size()) / resources.slots_per_rank();
  }
  return ranks >= resources.ranks_min();
}

// What the job in front waits for is what this one waits for.
void ExplainBehind(const ClusterState& state, const Job& job, const Job& head, absl::Time now,
                   pb::Explanation& out) {
  const int64_t before = state.queue().CountBefore(job, kPlacesCounted);
  *out.mutable_reason() =
      MakeReason("Behind", absl::StrCat("job ", job.id(), " is number ", before + 1,
                                        before == kPlacesCounted ? " or more" : "",
                                        " in the queue, behind job ", head.id(), " (priority ",
                                        head.scheduling().priority(), ", its own ",
                                        job.scheduling().priority(), ")"));
  out.add_details(absl::StrCat("In front of it ", ShortageText(state, head), "."));
  ExplainShortage(state, head, now, out);
}

}  // namespace

// What it waits for first: preflight, its turn, or room.
void ExplainQueued(const ClusterState& state, const Job& job, absl::Time now,
                   pb::Explanation& out) {
  if (NextTimer(job, state.windows()).kind == TimerKind::kQueueTimeout) {
    out.add_details(absl::StrCat("Its queue_timeout ends ",
                                 InText(now, NextTimer(job, state.windows()).at), "."));
  }
  if (!AnyWorker(state)) {
    *out.mutable_reason() =
        MakeReason("NoWorkers", absl::StrCat("job ", job.id(), " needs ", NeedText(job.resources()),
                                             ", and no worker is attached"));
    return;
  }
  // The reason of its last transition is the right one.
  if (job.preflight_pending) return;
  const absl::Status feasible = CheckFeasible(state, job.spec());
  if (!feasible.ok()) {
    // The sentence names the workers that do not count; with their slots it is not "never".
    const bool apart = FitsWithTheApart(state, job.resources());
    *out.mutable_reason() =
        MakeReason(apart ? "StorageNotShared" : "NeverFits",
                   absl::StrCat("job ", job.id(), " cannot start here: ", feasible.message()));
    return;
  }
  const Job* head = HeadOfQueue(state);
  if (head != nullptr && head != &job) return ExplainBehind(state, job, *head, now, out);
  const int64_t room = RoomWithout(state, job.resources(), {});
  if (room >= job.resources().ranks_min()) return;
  const std::string shortage = ShortageText(state, job);
  const pb::Reason blamed = BlameIdleWorkers(state, job, room, shortage);
  *out.mutable_reason() = blamed.code().empty() ? MakeReason("NotEnoughSlots", shortage) : blamed;
  ExplainShortage(state, job, now, out);
}

}  // namespace rm::scheduler
