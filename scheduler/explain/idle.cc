// Free slots that nobody may use are the cruellest kind of wait: `trainctl node ls` shows them, and
// nothing starts. So the reason itself names them, and not only a detail below it.
#include "scheduler/explain/idle.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/core/reasons.h"
#include "scheduler/explain/ago.h"
#include "scheduler/explain/room.h"
#include "scheduler/state/timer.h"

namespace rm::scheduler {
namespace {

// More workers than that are counted.
constexpr size_t kWorkersNamed = 4;

// One kind of such workers, as a reason code and as words behind their names.
struct IdleKind {
  Idle idle;
  const char* code;
  const char* why;
};
// In the order in which they are blamed.
constexpr IdleKind kKinds[] = {
    {Idle::kSilent, "WorkerSilent", "silent: nothing new until it is heard"},
    {Idle::kAbsent, "WorkerAbsent", "absent: not back since the coordinator started"},
    {Idle::kApart, "StorageNotShared", "no ranks: it does not see the cluster's storage"},
};

// "w2 with 1 free slot, w3 with 2 free slots and 4 more workers".
std::string NameAll(const std::vector<const Worker*>& workers) {
  std::vector<std::string> names;
  size_t more = 0;
  for (const Worker* worker : workers) {
    // One that is full would not help if it were heard.
    if (worker->free_slots == 0) continue;
    if (names.size() == kWorkersNamed) ++more;
    if (more > 0) continue;
    names.push_back(absl::StrCat(worker->id, " with ", CountText(worker->free_slots, "free slot")));
  }
  return absl::StrCat(
      absl::StrJoin(names, ", "),
      more == 0 ? "" : absl::StrCat(" and ", CountText(static_cast<int64_t>(more), "more worker")));
}

}  // namespace

// The kinds add up: a job may wait for a silent and an absent worker together, and then it is the
// last one that it lacks which is to blame, with the ones before.
pb::Reason BlameIdleWorkers(const ClusterState& state, const Job& job, int64_t room,
                            const std::string& shortage) {
  std::vector<std::string> parts;
  for (const IdleKind& kind : kKinds) {
    const IdleWorkers idle = FindIdle(state, job.resources(), kind.idle);
    if (idle.room == 0) continue;
    parts.push_back(absl::StrCat(NameAll(idle.workers), " (", kind.why, ")"));
    room += idle.room;
    if (room < job.resources().ranks_min()) continue;
    return MakeReason(
        kind.code, absl::StrCat(shortage, "; it waits only for ", absl::StrJoin(parts, " and ")));
  }
  return pb::Reason();
}

// All of them, the full ones too: who asks why a cluster is small wants to see where it went.
void AddIdleWorkers(const ClusterState& state, const Job& job, absl::Time now,
                    pb::Explanation& out) {
  for (const IdleKind& kind : kKinds) {
    for (const Worker* worker : FindIdle(state, job.resources(), kind.idle).workers) {
      out.add_details(absl::StrCat("Worker ", worker->id, " with ",
                                   CountText(worker->free_slots, "free slot"), " ",
                                   IdleText(state, *worker, now), "."));
    }
  }
}

// Since when, or until when: a wait with an end is another thing than one without.
std::string IdleText(const ClusterState& state, const Worker& worker, absl::Time now) {
  if (worker.state == pb::ABSENT) {
    return absl::StrCat("is absent and given up ",
                        InText(now, WorkerDeadline(worker, state.windows())));
  }
  if (worker.state == pb::SUSPECT) {
    return absl::StrCat("fell silent ", AgoText(now, worker.since),
                        " and gets nothing new until it is heard");
  }
  if (worker.state == pb::READY && !worker.storage_problem.empty()) {
    return absl::StrCat("gets no ranks: it does not see the storage (", worker.storage_problem,
                        ")");
  }
  return "";
}

}  // namespace rm::scheduler
