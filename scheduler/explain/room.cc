#include "scheduler/explain/room.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "scheduler/placement/gang.h"

namespace rm::scheduler {
namespace {

// A refusal is one line.
constexpr int kWorkersNamed = 8;

// Those with `is_of`, in order of attachment, as placements take them.
template <typename IsOf>
std::vector<const Worker*> WorkersThat(const ClusterState& state, const pb::ResourceSpec& resources,
                                       const IsOf& is_of) {
  std::vector<const Worker*> workers;
  for (const auto& [id, worker] : state.workers()) {
    if (is_of(worker) && Matches(worker, resources)) workers.push_back(&worker);
  }
  std::sort(workers.begin(), workers.end(), ByOrdinal());
  return workers;
}

// Those that a placement may use now.
std::vector<const Worker*> UsableWorkers(const ClusterState& state,
                                         const pb::ResourceSpec& resources) {
  return WorkersThat(state, resources, [](const Worker& worker) { return worker.Usable(); });
}

// The kinds exclude each other: a silent worker that does not see the storage would give nothing
// when it is heard again.
bool IsIdle(const Worker& worker, Idle idle) {
  switch (idle) {
    case Idle::kSilent: return worker.state == pb::SUSPECT && worker.Counts();
    case Idle::kAbsent: return worker.state == pb::ABSENT && worker.Counts();
    case Idle::kApart: return worker.state == pb::READY && !worker.storage_problem.empty();
  }
  return false;
}

// "; not counted: w3 with 4 slots, which does not see the storage (…)"; empty: all see it.
std::string ApartText(const ClusterState& state, const pb::ResourceSpec& resources) {
  const std::vector<const Worker*> apart = WorkersThat(
      state, resources, [](const Worker& worker) { return IsIdle(worker, Idle::kApart); });
  if (apart.empty()) return "";
  const Worker& first = *apart[0];
  return absl::StrCat("; not counted: ", first.id, " with ", first.slots.size(),
                      first.slots.size() == 1 ? " slot" : " slots",
                      ", which does not see the storage (", first.storage_problem, ")",
                      apart.size() == 1 ? "" : absl::StrCat(" and ", apart.size() - 1, " more"));
}

// job → worker → slots held, jobs with most slots first.
struct Holding {
  const Job* job = nullptr;
  int64_t slots = 0;
  std::vector<std::pair<const Worker*, int32_t>> on;
};

// Who holds what of the slots this job could use.
std::vector<Holding> Holdings(const ClusterState& state, const pb::ResourceSpec& resources) {
  std::map<int64_t, Holding> by_sequence;
  for (const Worker* worker : UsableWorkers(state, resources)) {
    for (const Slot& slot : worker->slots) {
      if (slot.free()) continue;
      Holding& holding = by_sequence[slot.holder->sequence];
      holding.job = slot.holder;
      ++holding.slots;
      if (holding.on.empty() || holding.on.back().first != worker)
        holding.on.push_back({worker, 0});
      ++holding.on.back().second;
    }
  }
  std::vector<Holding> holdings;
  for (auto& [sequence, holding] : by_sequence) holdings.push_back(std::move(holding));
  std::stable_sort(holdings.begin(), holdings.end(),
                   [](const Holding& a, const Holding& b) { return a.slots > b.slots; });
  return holdings;
}

std::string Selector(const pb::ResourceSpec& resources) {
  if (resources.node_selector().empty()) return "the cluster has ";
  const std::map<std::string, std::string> sorted(resources.node_selector().begin(),
                                                  resources.node_selector().end());
  return absl::StrCat("the workers with ", absl::StrJoin(sorted, ", ", absl::PairFormatter("=")),
                      " have ");
}

}  // namespace

// Over the workers that the job's selector admits.
SlotCount CountSlots(const ClusterState& state, const pb::ResourceSpec& resources) {
  SlotCount count;
  for (const Worker* worker : UsableWorkers(state, resources)) {
    count.free += worker->free_slots;
    count.total += static_cast<int64_t>(worker->slots.size());
    ++count.workers;
  }
  return count;
}

// Ranks that would fit if one job were gone.
int64_t RoomWithout(const ClusterState& state, const pb::ResourceSpec& resources,
                    const std::set<const Job*>& ended) {
  int64_t room = 0;
  for (const Worker* worker : UsableWorkers(state, resources)) {
    const auto usable = [&](const Slot& slot) {
      return slot.free() || ended.count(slot.holder) > 0;
    };
    room += std::count_if(worker->slots.begin(), worker->slots.end(), usable) /
            resources.slots_per_rank();
  }
  return room;
}

IdleWorkers FindIdle(const ClusterState& state, const pb::ResourceSpec& resources, Idle idle) {
  IdleWorkers found;
  found.workers =
      WorkersThat(state, resources, [&](const Worker& worker) { return IsIdle(worker, idle); });
  for (const Worker* worker : found.workers) {
    found.room += worker->free_slots / std::max(resources.slots_per_rank(), 1);
  }
  return found;
}

std::vector<pb::Holder> Holders(const ClusterState& state, const pb::ResourceSpec& resources) {
  std::vector<pb::Holder> holders;
  for (const Holding& holding : Holdings(state, resources)) {
    for (const auto& [worker, slots] : holding.on) {
      pb::Holder holder;
      holder.set_job_id(holding.job->id());
      holder.set_worker_id(worker->id);
      holder.set_slots(slots);
      holders.push_back(std::move(holder));
    }
  }
  return holders;
}

// Each of these, ending alone, lets the job start.
std::vector<const Job*> EndsThatMakeRoom(const ClusterState& state,
                                         const pb::ResourceSpec& resources, int64_t ranks) {
  // Trying all sets would find the fewest jobs in every case, and takes exponential time. The
  // largest first is right nearly always, and what it names is always enough.
  const std::vector<Holding> holdings = Holdings(state, resources);
  // The smallest job that is enough alone.
  for (auto holding = holdings.rbegin(); holding != holdings.rend(); ++holding) {
    if (RoomWithout(state, resources, {holding->job}) >= ranks) return {holding->job};
  }
  std::set<const Job*> ended;
  std::vector<const Job*> jobs;
  for (const Holding& holding : holdings) {
    ended.insert(holding.job);
    jobs.push_back(holding.job);
    if (RoomWithout(state, resources, ended) >= ranks) return jobs;
  }
  return {};
}

// Refused at submit only when no end of any job could ever help.
absl::Status CheckFeasible(const ClusterState& state, const pb::JobSpec& spec) {
  const pb::ResourceSpec& resources = spec.resources();
  const int64_t ranks = resources.ranks_min();
  const int64_t per_rank = std::max(resources.slots_per_rank(), 1);
  // Slots and room are not the same: a worker with 3 slots has room for one rank of 2.
  int64_t room = 0;
  int64_t slots = 0;
  std::vector<std::string> named;
  const auto counts = [](const Worker& worker) { return worker.Counts(); };
  for (const Worker* worker : WorkersThat(state, resources, counts)) {
    const int64_t count = static_cast<int64_t>(worker->slots.size());
    room += count / per_rank;
    slots += count;
    named.push_back(absl::StrCat(worker->id, ": ", count));
  }
  if (room >= ranks) return absl::OkStatus();
  const size_t workers = named.size();
  if (workers > kWorkersNamed) {
    named.resize(kWorkersNamed);
    named.push_back(absl::StrCat("… ", workers, " workers"));
  }
  return absl::ResourceExhaustedError(
      absl::StrCat(ranks, ranks == 1 ? " rank × " : " ranks × ", per_rank,
                   per_rank == 1 ? " slot = " : " slots = ", ranks * per_rank,
                   ranks * per_rank == 1 ? " slot, " : " slots, ", Selector(resources), slots,
                   named.empty() ? "" : absl::StrCat(" (", absl::StrJoin(named, ", "), ")"),
                   slots >= ranks * per_rank ? ", but a rank must fit one worker" : "",
                   ApartText(state, resources)));
}

}  // namespace rm::scheduler
