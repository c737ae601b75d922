#include "tools/bench/schedule_synthetic.h"

#include <ctime>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "base/random.h"
#include "base/status.h"
#include "scheduler/core/scheduler.h"

namespace rm::bench {
namespace {

namespace pb = ::ringmaster::v1;

// Share of the jobs that are no larger than so many slots.
constexpr std::array<std::pair<double, int64_t>, 5> kSizes = {
    {{0.96414, 1}, {0.97603, 2}, {0.99219, 4}, {0.99966, 8}, {1.0, 16}}};

// Every twentieth of the durations, in seconds, from the least to the greatest.
constexpr std::array<double, 21> kDurations = {
    2,    59,   74,   158,  398,  614,  749,  871,   970,   1085,   1212,
    1339, 1515, 1730, 1941, 2269, 4100, 6102, 11431, 22092, 2750674};

// CPU time and not wall time: what else runs on the machine is not the core's doing.
double ThreadSeconds() {
  timespec now = {};
  RM_CHECK(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0, "no clock of the thread");
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// A draw by the cumulative shares: the first size that reaches it.
int64_t DrawSlots(base::RandomStream& random) {
  const double share = static_cast<double>(random.NextBelow(1'000'000)) / 1e6;
  for (const auto& [up_to, slots] : kSizes) {
    if (share < up_to) return slots;
  }
  return kSizes.back().second;
}

// Between two quantiles evenly in the logarithm: durations span six decades.
absl::Duration DrawDuration(base::RandomStream& random) {
  const uint64_t steps = kDurations.size() - 1;
  const double at = static_cast<double>(random.NextBelow(steps * 100'000)) / 1e5;
  const size_t below = static_cast<size_t>(at);
  const double part = at - static_cast<double>(below);
  const double seconds =
      std::exp(std::log(kDurations[below]) * (1 - part) + std::log(kDurations[below + 1]) * part);
  return absl::Milliseconds(static_cast<int64_t>(seconds * 1000));
}

// A job that the cluster has seen.
struct Job {
  int64_t ranks = 1;
  int64_t generation = 0;
  absl::Duration left;                         // to train
  absl::Time trains_since = absl::InfinitePast();  // InfinitePast: it has no slots
};

// The world around the core, as in schedule_replay, but with jobs that are drawn when they are
// needed and forgotten when they end: a run of millions takes no more memory than a short one.
class Cluster {
 public:
  explicit Cluster(const SyntheticOptions& options) : options_(options), random_(options.seed, 0) {}

  absl::StatusOr<SyntheticResult> Measure() {
    scheduler::SchedulerOptions scheduling;
    scheduling.policy = options_.policy;
    RM_ASSIGN_OR_RETURN(core_, scheduler::Scheduler::Create(scheduling));
    Fill();
    result_ = SyntheticResult();
    result_.queued = std::numeric_limits<int64_t>::max();
    step_us_.clear();
    double held = 0;
    for (int64_t i = 0; i < options_.events; ++i) {
      EndNext();
      held += Held();
    }
    Conclude(held);
    return result_;
  }

 private:
  const scheduler::ClusterState& state() const { return core_->state(); }
  int64_t Total() const { return options_.nodes * options_.slots; }
  int64_t Queued() const { return static_cast<int64_t>(state().queue().size()); }

  double Held() const {
    return static_cast<double>(Total() - state().free_slots().total()) /
           static_cast<double>(Total());
  }

  // Workers first, then jobs until the last slot is taken and the queue has its length.
  void Fill() {
    for (int64_t i = 0; i < options_.nodes; ++i) {
      pb::WorkerAttached& attached = *Add().mutable_worker_attached();
      attached.set_worker_id(absl::StrCat("n", i));
      attached.set_host(attached.worker_id());
      attached.set_slots(static_cast<int32_t>(options_.slots));
    }
    Step();
    constexpr int kAtOnce = 1000;
    while (Queued() < options_.queued) {
      for (int i = 0; i < kAtOnce; ++i) Submit();
      Step();
    }
  }

  void Submit() {
    const int64_t slots = DrawSlots(random_);
    Job job;
    job.ranks = (slots + options_.slots - 1) / options_.slots;
    job.left = DrawDuration(random_);
    const std::string id = absl::StrCat("j", ++last_job_);
    pb::SubmitJob& submit = *Add().mutable_submit();
    submit.set_job_id(id);
    submit.set_expected_seconds(absl::ToDoubleSeconds(job.left));
    submit.mutable_spec()->mutable_scheduling()->set_grace_period(30);
    pb::ResourceSpec& resources = *submit.mutable_spec()->mutable_resources();
    resources.set_ranks_min(static_cast<int32_t>(job.ranks));
    resources.set_ranks_max(static_cast<int32_t>(job.ranks));
    resources.set_slots_per_rank(static_cast<int32_t>(std::min(slots, options_.slots)));
    jobs_[id] = job;
  }

  // The next job ends; what was placed before has joined by then. As many are submitted as the queue
  // lost in the last step.
  void EndNext() {
    RM_CHECK(!ends_.empty(), "nothing runs");
    const auto [at, id] = *ends_.begin();
    ends_.erase(ends_.begin());
    now_ = std::max(now_, at);
    *Add().mutable_training_done()->mutable_rank() = RankOf(id, 0);
    Leave(id);
    jobs_.erase(id);
    for (int64_t missing = options_.queued - Queued() + 1; missing > 0; --missing) Submit();
    Step();
    result_.queued = std::min(result_.queued, Queued());
  }

  // Of the present generation: the core refuses any other.
  pb::RankRef RankOf(const std::string& id, int64_t rank) const {
    pb::RankRef ref;
    ref.set_job_id(id);
    ref.set_generation(jobs_.at(id).generation);
    ref.set_rank(static_cast<int32_t>(rank));
    return ref;
  }

  void Leave(const std::string& id) {
    for (int64_t rank = 0; rank < jobs_.at(id).ranks; ++rank) {
      *Add().mutable_rank_exited()->mutable_rank() = RankOf(id, rank);
    }
  }

  // Its ranks listen and join in the next step.
  void Start(const pb::StartGang& gang) {
    const std::string& id = gang.job_id();
    Job& job = jobs_.at(id);
    job.generation = gang.generation();
    job.trains_since = now_;
    ends_.insert({now_ + job.left, id});
    ++result_.placements;
    for (int64_t rank = 0; rank < job.ranks; ++rank) {
      *Add().mutable_rank_listening()->mutable_rank() = RankOf(id, rank);
    }
    for (int64_t rank = 0; rank < job.ranks; ++rank) {
      *Add().mutable_rank_joined()->mutable_rank() = RankOf(id, rank);
    }
  }

  // A gang that makes room keeps what it has trained, and its end moves with the next start.
  void Stop(const pb::StopGang& stop) {
    Job& job = jobs_.at(stop.job_id());
    if (job.generation != stop.generation() || job.trains_since == absl::InfinitePast()) return;
    ends_.erase({job.trains_since + job.left, stop.job_id()});
    job.left = std::max(job.left - (now_ - job.trains_since), absl::Milliseconds(1));
    job.trains_since = absl::InfinitePast();
    Leave(stop.job_id());
  }

  // Only the call itself is timed: making events and reading answers is the work of others.
  void Step() {
    std::vector<pb::Event> events;
    events.swap(events_);
    const double before = ThreadSeconds();
    const scheduler::StepResult step = core_->Step(events, now_);
    step_us_.push_back((ThreadSeconds() - before) * 1e6);
    RM_CHECK(step.record.refusals().empty(), "the benchmark broke a rule");
    for (const pb::Action& action : step.record.actions()) {
      if (action.has_start_gang()) Start(action.start_gang());
      if (action.has_stop_gang()) Stop(action.stop_gang());
    }
  }

  // Quantiles by nearest rank, over all steps since the cluster and the queue were full.
  void Conclude(double held) {
    double total = 0;
    for (const double us : step_us_) total += us;
    std::sort(step_us_.begin(), step_us_.end());
    const auto quantile = [this](double q) {
      const double rank = std::ceil(q * static_cast<double>(step_us_.size())) - 1;
      return step_us_[static_cast<size_t>(std::max(0.0, rank))];
    };
    result_.steps = static_cast<int64_t>(step_us_.size());
    result_.placements_per_s = static_cast<double>(result_.placements) / (total * 1e-6);
    result_.step_p50_us = quantile(0.5);
    result_.step_p99_us = quantile(0.99);
    result_.utilisation = held / static_cast<double>(options_.events);
  }

  pb::Event& Add() { return events_.emplace_back(); }

  SyntheticOptions options_;
  base::RandomStream random_;
  std::unique_ptr<scheduler::Scheduler> core_;
  std::map<std::string, Job> jobs_;                    // that have not ended
  std::set<std::pair<absl::Time, std::string>> ends_;  // of those that have slots
  std::vector<pb::Event> events_;                      // of the next step
  std::vector<double> step_us_;
  absl::Time now_ = absl::FromUnixSeconds(1'000'000'000);
  int64_t last_job_ = 0;
  SyntheticResult result_;
};

}  // namespace

absl::StatusOr<SyntheticResult> MeasureSynthetic(const SyntheticOptions& options) {
  return Cluster(options).Measure();
}

}  // namespace rm::bench
