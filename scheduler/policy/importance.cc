#include "scheduler/policy/importance.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "scheduler/placement/draft.h"
#include "scheduler/placement/gang.h"

namespace rm::scheduler {
namespace {

using Shares = std::vector<WorkerShare>;

// A job in the plan, where it runs and where it is to be.
struct Item {
  const Job* job = nullptr;
  Importance importance;
  int64_t slots_per_rank = 1;
  bool runs = false;
  bool pinned = false;  // it stays whatever comes
  absl::Time leaves_from = absl::InfinitePast();  // before it, it is not stopped
  Shares now;           // of a gang that runs
  Shares planned;       // empty: it is to wait
  const Job* winner = nullptr;  // who took its place

  bool planned_at_all() const { return !planned.empty(); }
  int64_t slots_on(const WorkerShare& share) const { return share.ranks * slots_per_rank; }
};

struct MoreImportant {
  bool operator()(const Item* a, const Item* b) const {
    return std::tie(a->importance.level, a->importance.order, a->job->sequence) <
           std::tie(b->importance.level, b->importance.order, b->job->sequence);
  }
};
using Items = std::set<Item*, MoreImportant>;

// Sets of pointers are ordered by what they point to, never by address: a replay must not depend on
// where the allocator puts things.

// A gang that holds slots and goes on: one that leaves has no importance any more.
bool GoesOn(const Job& job) { return job.state == pb::STARTING || job.state == pb::RUNNING; }

// Ranks by worker, in the order of the workers.
Shares SharesOf(const ClusterState& state, const Job& job) {
  std::map<const Worker*, int64_t, ByOrdinal> ranks;
  for (const GangRank& rank : job.gang) {
    const Worker* worker = state.FindWorker(rank.where.worker_id());
    if (worker != nullptr) ++ranks[worker];
  }
  Shares shares;
  for (const auto& [worker, count] : ranks) shares.push_back({worker, count});
  return shares;
}

// What room for one rank costs: gangs that move together, each with the worker it moves to.
struct Moves {
  int64_t cost = 0;  // slots that move
  std::vector<std::pair<Item*, const Worker*>> list;
};

// One pass. The draft `free_` is what is free besides the gangs that are settled so far: at first
// those that run, and then whoever was placed before. Each job is taken from `todo_` once for each
// time it was evicted, and an eviction only ever hits somebody less important than the evictor, so
// the pass ends.
class Planner {
 public:
  Planner(const PassView& view, const ImportanceFn& importance)
      : view_(view), state_(view.state), free_(view.state) {
    for (const Job* job : state_.holding()) AddHolder(*job, importance);
    const Queue& queue = state_.queue();
    for (const Job* job = queue.First(); job != nullptr; job = queue.After(*job)) {
      if (!CouldFit(state_, job->resources())) continue;
      todo_.insert(&AddItem(*job, importance));
    }
  }

  PassPlan Make() {
    while (!todo_.empty()) {
      Item& item = **todo_.begin();
      todo_.erase(todo_.begin());
      PlaceItem(item);
    }
    return Result();
  }

 private:
  // std::map keeps its entries where they are: the other indices point to them.
  Item& AddItem(const Job& job, const ImportanceFn& importance) {
    Item& item = items_[job.sequence];
    item.job = &job;
    item.importance = importance(job);
    item.slots_per_rank = job.resources().slots_per_rank();
    return item;
  }

  // The slots of a gang that leaves count as free: they are promised to the most important job that
  // fits them, and nobody else gets them meanwhile. A gang that is broken keeps what it has.
  void AddHolder(const Job& job, const ImportanceFn& importance) {
    if (job.state == pb::STOPPING) free_.Give(job);
    if (!GoesOn(job)) return;
    Item& item = AddItem(job, importance);
    item.runs = true;
    const bool fixed =
        job.scheduling().has_preemptible() && !job.scheduling().preemptible();
    item.now = SharesOf(state_, job);
    const bool whole = std::all_of(item.now.begin(), item.now.end(),
                                   [](const WorkerShare& share) { return share.worker->Usable(); });
    item.leaves_from = job.counting_since + kRunMin;
    item.pinned = fixed || !whole || job.living_ranks < job.world_size() ||
                  job.training_done;
    item.planned = item.now;
    Enter(item);
  }

  // Who is planned on which worker; a gang may be on several.
  void Enter(Item& item) {
    for (const WorkerShare& share : item.planned) on_[share.worker].insert(&item);
  }

  // `item` is given a place in the draft.
  // REQUIRES: the shares are free in the draft.
  void Settle(Item& item, Shares shares) {
    free_.Take(shares, item.slots_per_rank);
    item.planned = std::move(shares);
    Enter(item);
  }

  // Its place in the draft is free again.
  void Unsettle(Item& item) {
    free_.Give(item.planned, item.slots_per_rank);
    for (const WorkerShare& share : item.planned) on_[share.worker].erase(&item);
    item.planned.clear();
  }

  // The placement that the job asks for decides which workers, here as everywhere.
  Shares Place(const FreeSlots& free, const Item& item) const {
    FreeSlots storage;
    const pb::ResourceSpec& resources = item.job->resources();
    const Placer& placer = PlacerNamed(resources.placement(), *view_.placer);
    return placer.place(EligibleSlots(free, resources, storage), RequestOf(resources));
  }

  // On its own slots, when nobody has taken them.
  bool Stays(const Item& item) const {
    return item.runs && std::all_of(item.now.begin(), item.now.end(), [&](const WorkerShare& share) {
      return free_.FreeOn(*share.worker) >= item.slots_on(share);
    });
  }

  // A shape for which there was nothing, neither free nor by moves nor from anybody less important,
  // has nothing for a job that is less important either, until somebody is evicted or moved.
  void PlaceItem(Item& item) {
    if (Stays(item)) return Settle(item, item.now);
    const int64_t shape = state_.queue().ShapeIdOf(*item.job);
    if (shape != 0 && hopeless_.count(shape) > 0) return;
    Shares shares = Place(free_.free(), item);
    if (shares.empty()) shares = PlaceByMoves(item);
    if (shares.empty()) shares = PlaceByEviction(item);
    if (!shares.empty()) return Settle(item, std::move(shares));
    if (shape != 0) hopeless_.insert(shape);
  }

  // ---- moves: room that is there in pieces

  // One rank after the other: each takes the worker on which room costs least, in slots that move; of
  // equal ones the first by name. What was chosen for one rank is no target of moves for the next.
  Shares PlaceByMoves(const Item& item) {
    const pb::ResourceSpec& resources = item.job->resources();
    const int64_t ranks = resources.ranks_min();
    if (free_.free().total() < ranks * item.slots_per_rank) return {};
    Draft trial = free_;
    std::set<const Item*> moved;
    std::set<const Worker*, ByOrdinal> chosen;
    std::vector<std::pair<Item*, const Worker*>> moves;
    for (int64_t rank = 0; rank < ranks; ++rank) {
      const Worker* best = nullptr;
      Moves cheapest;
      for (const auto& [id, worker] : state_.workers()) {
        if (!worker.Usable() || !Matches(worker, resources)) continue;
        const absl::optional<Moves> made = MakeRoom(worker, item, trial, moved, chosen);
        if (!made || (best != nullptr && made->cost >= cheapest.cost)) continue;
        best = &worker;
        cheapest = *made;
        if (cheapest.cost == 0) break;
      }
      if (best == nullptr) return {};
      chosen.insert(best);
      for (const auto& [mover, target] : cheapest.list) {
        trial.Give(mover->planned, mover->slots_per_rank);
        trial.Take({{target, mover->planned[0].ranks}}, mover->slots_per_rank);
        moved.insert(mover);
        moves.emplace_back(mover, target);
      }
      trial.Take({{best, 1}}, item.slots_per_rank);
    }
    return Carry(moves, item);
  }

  // The moves are made in the draft, and the job is placed into the room.
  Shares Carry(const std::vector<std::pair<Item*, const Worker*>>& moves, const Item& item) {
    std::vector<std::pair<Item*, Shares>> before;
    for (const auto& [mover, target] : moves) before.emplace_back(mover, mover->planned);
    for (const auto& [mover, target] : moves) {
      const Shares there = {{target, mover->planned[0].ranks}};
      Unsettle(*mover);
      Settle(*mover, there);
    }
    Shares shares = Place(free_.free(), item);
    if (shares.empty()) {  // the placement wants it otherwise: nothing was moved
      for (const auto& [mover, there] : before) Unsettle(*mover);
      for (const auto& [mover, there] : before) Settle(*mover, there);
      return shares;
    }
    for (const auto& [mover, target] : moves) mover->winner = item.job;
    if (!moves.empty()) hopeless_.clear();
    return shares;
  }

  // Gangs that can leave `worker` for free slots elsewhere so that a rank of `item` has room on it.
  absl::optional<Moves> MakeRoom(const Worker& worker, const Item& item, const Draft& trial,
                                 const std::set<const Item*>& moved,
                                 const std::set<const Worker*, ByOrdinal>& chosen) const {
    Moves moves;
    int64_t lack = item.slots_per_rank - trial.FreeOn(worker);
    if (lack <= 0) return moves;
    if (chosen.count(&worker) > 0) return absl::nullopt;
    std::vector<Item*> picked = PickMovers(worker, moved, lack);
    if (lack > 0) return absl::nullopt;
    Draft targets = trial;
    for (Item* mover : picked) {
      const int64_t slots = mover->slots_on(mover->planned[0]);
      const Worker* target = TargetFor(*mover, slots, worker, chosen, targets);
      if (target == nullptr) return absl::nullopt;
      targets.Take({{target, slots}}, 1);
      moves.cost += slots;
      moves.list.emplace_back(mover, target);
    }
    return moves;
  }

  // The largest gangs that are not too large, then the smallest one that covers the rest; the
  // largest first. `lack` becomes what they do not cover.
  std::vector<Item*> PickMovers(const Worker& worker, const std::set<const Item*>& moved,
                                int64_t& lack) const {
    std::vector<Item*> movers;
    const auto on = on_.find(&worker);
    if (on == on_.end()) return movers;
    for (Item* item : on->second) {
      const bool alone = item->planned.size() == 1 && item->runs && !item->pinned;
      if (alone && moved.count(item) == 0) movers.push_back(item);
    }
    const auto slots = [](const Item* item) { return item->slots_on(item->planned[0]); };
    std::stable_sort(movers.begin(), movers.end(),
                     [&](const Item* a, const Item* b) { return slots(a) > slots(b); });
    std::vector<Item*> picked;
    Item* cover = nullptr;
    for (Item* mover : movers) {
      if (slots(mover) <= lack) {
        picked.push_back(mover);
        lack -= slots(mover);
      } else {
        cover = mover;  // the smallest that is too large
      }
    }
    if (lack > 0 && cover != nullptr) {
      picked.insert(picked.begin(), cover);
      lack = 0;
    }
    return picked;
  }

  // The fullest worker with room, as the placements choose.
  const Worker* TargetFor(const Item& mover, int64_t slots, const Worker& from,
                          const std::set<const Worker*, ByOrdinal>& chosen,
                          const Draft& targets) const {
    for (const auto& [count, workers] : targets.free().by_count()) {
      if (count < slots) continue;
      for (const Worker* worker : workers) {
        const bool open = worker != &from && chosen.count(worker) == 0;
        if (open && Matches(*worker, mover.job->resources())) return worker;
      }
    }
    return nullptr;
  }

  // ---- eviction: room of those who are less important

  // The least important leave one after the other until there is room; so the most important of
  // those who leave is as little important as can be.
  Shares PlaceByEviction(const Item& item) {
    std::vector<Item*> victims;
    Draft trial = free_;
    Shares shares;
    for (auto last = settled_end(); shares.empty() && last.Next(item);) {
      trial.Give(last.item->planned, last.item->slots_per_rank);
      victims.push_back(last.item);
      shares = Place(trial.free(), item);
    }
    if (shares.empty()) return shares;
    // Spared, the most important first, is who need not leave.
    trial.Take(shares, item.slots_per_rank);
    for (auto victim = victims.rbegin(); victim != victims.rend(); ++victim) {
      const bool fits = std::all_of(
          (*victim)->planned.begin(), (*victim)->planned.end(), [&](const WorkerShare& share) {
            return trial.FreeOn(*share.worker) >= (*victim)->slots_on(share);
          });
      if (fits) trial.Take((*victim)->planned, (*victim)->slots_per_rank);
      if (fits) *victim = nullptr;
    }
    for (Item* victim : victims) {
      if (victim == nullptr) continue;
      Unsettle(*victim);
      victim->winner = item.job;
      todo_.insert(victim);
    }
    hopeless_.clear();
    return shares;
  }

  // Walks the settled gangs from the least important on, down to those that `item` may evict.
  struct FromLast {
    const Items* items;
    Items::const_reverse_iterator at;
    Item* item = nullptr;

    bool Next(const Item& evictor) {
      for (; at != items->rend(); ++at) {
        if (!MoreImportant()(&evictor, *at)) return false;
        if (!(*at)->planned_at_all() || (*at)->pinned) continue;
        item = *at++;
        return true;
      }
      return false;
    }
  };

  // Made anew for each eviction: who is settled changes with every placement, and evictions are few.
  FromLast settled_end() {
    order_.clear();
    for (auto& [sequence, item] : items_) {
      if (item.planned_at_all()) order_.insert(&item);
    }
    return {&order_, order_.rbegin()};
  }

  // ---- the answer

  // A gang that was evicted and found its own slots again is not stopped at all.
  static bool Same(const Shares& a, const Shares& b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](const WorkerShare& x, const WorkerShare& y) {
             return x.worker == y.worker && x.ranks == y.ranks;
           });
  }

  // What is promised but not free yet starts in the pass after it was left.
  PassPlan Result() {
    PassPlan plan;
    Draft now(state_);
    std::vector<Item*> starts;
    for (auto& [sequence, item] : items_) {
      if (item.runs && !Same(item.planned, item.now)) {
        // Its slots stay promised, so nobody else comes between until then.
        if (item.leaves_from > state_.now()) {
          plan.next_pass = std::min(plan.next_pass, item.leaves_from);
          continue;
        }
        plan.preemptions.push_back({item.job, item.winner, item.planned_at_all()});
      } else if (!item.runs && item.planned_at_all()) {
        starts.push_back(&item);
      }
    }
    std::sort(starts.begin(), starts.end(), MoreImportant());
    for (Item* item : starts) {
      const bool free_now = std::all_of(
          item->planned.begin(), item->planned.end(), [&](const WorkerShare& share) {
            return now.FreeOn(*share.worker) >= item->slots_on(share);
          });
      if (!free_now) continue;
      now.Take(item->planned, item->slots_per_rank);
      plan.starts.push_back({item->job, item->planned});
    }
    return plan;
  }

  const PassView& view_;
  const ClusterState& state_;
  Draft free_;
  std::map<int64_t, Item> items_;  // by sequence of the job
  Items todo_;
  Items order_;
  std::map<const Worker*, Items, ByOrdinal> on_;  // gangs planned on a worker
  std::set<int64_t> hopeless_;                    // shapes
};

}  // namespace

PassPlan PlanByImportance(const PassView& view, const ImportanceFn& importance) {
  if (view.state.queue().First() == nullptr) return {};
  return Planner(view, importance).Make();
}

}  // namespace rm::scheduler
