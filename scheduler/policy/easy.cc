#include "scheduler/policy/easy.h"

#include <algorithm>
#include <cstddef>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "scheduler/placement/draft.h"
#include "scheduler/placement/gang.h"
#include "scheduler/policy/estimate.h"

namespace rm::scheduler {
namespace {

// A gang that holds slots now or from this pass on, and when it is expected to let go of them.
struct Holder {
  absl::Time end;
  const Job* job = nullptr;
  const std::vector<WorkerShare>* shares = nullptr;  // of a start of this pass

  bool operator<(const Holder& other) const {
    return std::tie(end, job->sequence) < std::tie(other.end, other.job->sequence);
  }
};

// One pass: the heads that fit, then one reservation, then those that do not disturb it.
class Backfill {
 public:
  explicit Backfill(const PassView& view) : view_(view), now_(view.state), then_(view.state) {}

  PassPlan Make() {
    const Queue& queue = view_.state.queue();
    const Job* head = queue.First();
    for (; head != nullptr; head = queue.After(*head)) {
      const std::vector<WorkerShare> shares = Place(now_.free(), *head);
      if (!shares.empty()) {
        Add(*head, shares);
      } else if (CouldFit(view_.state, head->resources())) {
        break;
      }
    }
    if (head == nullptr || !Reserve(*head)) return std::move(plan_);
    for (const Job* job = queue.After(*head); job != nullptr; job = queue.After(*job)) Try(*job);
    return std::move(plan_);
  }

 private:
  std::vector<WorkerShare> Place(const FreeSlots& free, const Job& job) const {
    FreeSlots storage;
    const Placer& placer = PlacerNamed(job.resources().placement(), *view_.placer);
    return placer.place(EligibleSlots(free, job.resources(), storage), RequestOf(job.resources()));
  }

  // The state is not touched before the whole pass is decided.
  void Add(const Job& job, const std::vector<WorkerShare>& shares) {
    now_.Take(shares, job.resources().slots_per_rank());
    plan_.starts.push_back({&job, shares});
  }

  // All that hold slots, by their ends.
  std::vector<Holder> Holders() const {
    const absl::Time now = view_.state.now();
    std::vector<Holder> holders;
    for (const Job* job : view_.state.holding()) {
      holders.push_back({ExpectedEnd(*job, now), job, nullptr});
    }
    for (const Start& start : plan_.starts) {
      const absl::Duration expected = ExpectedDuration(*start.job);
      holders.push_back({now + std::max(expected, absl::Seconds(1)), start.job, &start.shares});
    }
    std::sort(holders.begin(), holders.end());
    return holders;
  }

  // Gangs leave in the order of their ends until there is room for `head`: that is its time, and
  // `then_` what is left over at it. False: its time cannot be told.
  bool Reserve(const Job& head) {
    then_ = now_;
    const std::vector<Holder> holders = Holders();
    for (size_t i = 0; i < holders.size(); ++i) {
      const Holder& holder = holders[i];
      if (holder.end == absl::InfiniteFuture()) return false;
      if (holder.shares == nullptr) {
        then_.Give(*holder.job);
      } else {
        then_.Give(*holder.shares, holder.job->resources().slots_per_rank());
      }
      // Those that end at the same time leave together.
      if (i + 1 < holders.size() && holders[i + 1].end == holder.end) continue;
      const std::vector<WorkerShare> shares = Place(then_.free(), head);
      if (shares.empty()) continue;
      then_.Take(shares, head.resources().slots_per_rank());
      reserved_at_ = holder.end;
      return true;
    }
    return false;
  }

  // The two ways to overtake. Who ends in time may take any slot, also a reserved one; who does not
  // takes what is free now and left over then, and that is no longer left over.
  void Try(const Job& job) {
    if (now_.free().total() < job.resources().slots_per_rank()) return;
    if (view_.state.now() + ExpectedDuration(job) <= reserved_at_) {
      const std::vector<WorkerShare> shares = Place(now_.free(), job);
      if (!shares.empty()) Add(job, shares);
      return;
    }
    const std::vector<WorkerShare> shares = Place(FreeInBoth(now_, then_), job);
    if (shares.empty()) return;
    then_.Take(shares, job.resources().slots_per_rank());
    Add(job, shares);
  }

  const PassView& view_;
  Draft now_;
  Draft then_;
  absl::Time reserved_at_;
  PassPlan plan_;
};

}  // namespace

PassPlan EasyPlan(const PassView& view) {
  if (view.state.queue().First() == nullptr) return {};
  return Backfill(view).Make();
}

}  // namespace rm::scheduler
