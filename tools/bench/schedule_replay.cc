#include "tools/bench/schedule_replay.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "base/status.h"
#include "scheduler/core/scheduler.h"

namespace rm::bench {
namespace {

namespace pb = ::ringmaster::v1;

// The virtual clock starts at some round time: the core must not mind which.
const absl::Time kStart = absl::FromUnixSeconds(1'000'000'000);

// Ids of jobs are their places in the trace.
std::string IdOf(size_t index) { return absl::StrCat("j", index); }

size_t IndexOf(const std::string& id) {
  size_t index = 0;
  RM_CHECK(absl::SimpleAtoi(id.substr(1), &index), id);
  return index;
}

pb::RankRef RankOf(const std::string& job, int64_t generation, int64_t rank) {
  pb::RankRef ref;
  ref.set_job_id(job);
  ref.set_generation(generation);
  ref.set_rank(static_cast<int32_t>(rank));
  return ref;
}

// What happens to a job when nobody does anything.
enum class Moment { kJoin, kEnd };

struct Due {
  int64_t at = 0;
  Moment moment = Moment::kEnd;
  size_t job = 0;

  // Of one instant: the ends first, in order of submission.
  bool operator<(const Due& other) const {
    if (at != other.at) return at < other.at;
    if (moment != other.moment) return moment == Moment::kEnd;
    return job < other.job;
  }
};

// A job as the world sees it.
struct Live {
  int64_t ranks = 1;
  int64_t generation = 0;
  int64_t done = 0;    // seconds trained before the present run
  bool runs = false;   // holds slots
  ReplayRun run;       // the present one
};

// The world around the core. Events are collected for one instant and given to Step together; what
// the core answers may cause more events at once (ranks that join, ranks that leave), which are a
// step of their own at the same instant, until there are none.
class World {
 public:
  World(const std::vector<TraceJob>& trace, const ReplayOptions& options)
      : trace_(trace), options_(options), live_(trace.size()) {
    result_.jobs.resize(trace.size());
    if (options_.locality == Locality::kAny) {
      options_.slots *= options_.nodes;
      options_.nodes = 1;
    }
  }

  absl::StatusOr<ReplayResult> Run() {
    scheduler::SchedulerOptions scheduling;
    scheduling.policy = options_.policy;
    RM_ASSIGN_OR_RETURN(core_, scheduler::Scheduler::Create(scheduling));
    AttachWorkers();
    while (true) {
      const int64_t next = NextMoment();
      if (next < 0) break;
      now_ = next;
      Happen();
    }
    const int64_t left = std::count_if(result_.jobs.begin(), result_.jobs.end(), [](const auto& j) {
      return !j.rejected && j.end < 0;
    });
    if (left == 0) return std::move(result_);
    return absl::InternalError(
        absl::StrCat("policy ", options_.policy, ": ", left, " jobs wait and are never started"));
  }

 private:
  // All before the first submission, in the order of their numbers: the ordinal of a worker breaks
  // ties in the placement.
  void AttachWorkers() {
    for (int64_t i = 0; i < options_.nodes; ++i) {
      pb::WorkerAttached& attached = *Add().mutable_worker_attached();
      attached.set_worker_id(absl::StrCat("n", i));
      attached.set_host(attached.worker_id());
      attached.set_slots(static_cast<int32_t>(options_.slots));
    }
    Step();
  }

  // The next instant at which anything happens; -1: nothing will.
  int64_t NextMoment() const {
    int64_t next = -1;
    const auto offer = [&next](int64_t at) { next = next < 0 ? at : std::min(next, at); };
    if (coming_ < trace_.size()) offer(trace_[coming_].submit);
    if (!due_.empty()) offer(due_.begin()->at);
    if (wake_up_ != absl::InfiniteFuture()) {
      // Rounded up: at the whole second before, what the core waits for is not yet so.
      const absl::Duration until = wake_up_ - kStart;
      offer(std::max(now_, absl::ToInt64Seconds(absl::Ceil(until, absl::Seconds(1)))));
    }
    return next;
  }

  // One instant: what is due, what is submitted, and what follows from it without time passing.
  void Happen() {
    const bool woken = wake_up_ <= kStart + absl::Seconds(now_);
    while (!due_.empty() && due_.begin()->at == now_) {
      const Due due = *due_.begin();
      due_.erase(due_.begin());
      due.moment == Moment::kEnd ? End(due.job) : Join(due.job);
    }
    for (; coming_ < trace_.size() && trace_[coming_].submit == now_; ++coming_) Submit(coming_);
    if (!events_.empty() || woken) Step();
    while (!events_.empty()) Step();
  }

  // A rank never spans nodes, so a gang larger than a node is ranks of whole nodes.
  void Submit(size_t index) {
    const TraceJob& job = trace_[index];
    const int64_t ranks = (job.slots + options_.slots - 1) / options_.slots;
    if (ranks < 1 || ranks > options_.nodes) {
      result_.jobs[index].rejected = true;
      return;
    }
    live_[index].ranks = ranks;
    pb::SubmitJob& submit = *Add().mutable_submit();
    submit.set_job_id(IdOf(index));
    submit.set_user(job.group);
    const double guess = std::round(static_cast<double>(job.duration) * options_.estimate_factor);
    if (options_.estimate_factor > 0) submit.set_expected_seconds(std::max(1.0, guess));
    if (job.requested > 0) submit.set_expected_seconds(static_cast<double>(job.requested));
    pb::JobSpec& spec = *submit.mutable_spec();
    spec.mutable_scheduling()->set_group(job.group);
    spec.mutable_scheduling()->set_grace_period(30);
    pb::ResourceSpec& resources = *spec.mutable_resources();
    resources.set_ranks_min(static_cast<int32_t>(ranks));
    resources.set_ranks_max(static_cast<int32_t>(ranks));
    resources.set_slots_per_rank(static_cast<int32_t>(std::min(job.slots, options_.slots)));
  }

  // The training is done and its ranks leave.
  // Done and gone in one instant, as the model has it; the core sees the end, and only now.
  void End(size_t index) {
    const Live& live = live_[index];
    const std::string id = IdOf(index);
    *Add().mutable_training_done()->mutable_rank() = RankOf(id, live.generation, 0);
    Leave(index);
    result_.jobs[index].end = now_;
  }

  // Every rank is gone; what was trained in this run is kept, what was paid to come up is not.
  void Leave(size_t index) {
    Live& live = live_[index];
    for (int64_t rank = 0; rank < live.ranks; ++rank) {
      *Add().mutable_rank_exited()->mutable_rank() = RankOf(IdOf(index), live.generation, rank);
    }
    live.runs = false;
    live.run.stop = now_;
    live.run.cost = std::min(live.run.cost, live.run.stop - live.run.begin);
    live.done += live.run.stop - live.run.begin - live.run.cost;
    result_.jobs[index].runs.push_back(std::move(live.run));
  }

  // The ranks are up: from now on the job trains.
  // All listen before the first one joins, as the ranks of a worker do.
  void Join(size_t index) {
    const Live& live = live_[index];
    const std::string id = IdOf(index);
    for (int64_t rank = 0; rank < live.ranks; ++rank) {
      *Add().mutable_rank_listening()->mutable_rank() = RankOf(id, live.generation, rank);
    }
    for (int64_t rank = 0; rank < live.ranks; ++rank) {
      *Add().mutable_rank_joined()->mutable_rank() = RankOf(id, live.generation, rank);
    }
  }

  // The end is known to the replay as soon as a job starts, and to the core when it comes.
  void Start(const pb::StartGang& gang) {
    const size_t index = IndexOf(gang.job_id());
    Live& live = live_[index];
    ReplayedJob& job = result_.jobs[index];
    live.generation = gang.generation();
    live.runs = true;
    live.run = ReplayRun();
    live.run.begin = now_;
    live.run.cost = job.runs.empty() ? 0 : options_.restart_cost;
    for (const pb::Placement& rank : gang.placement()) live.run.nodes.push_back(rank.worker_id());
    if (job.first_start < 0) job.first_start = now_;
    const int64_t trains = now_ + live.run.cost;
    due_.insert({trains + trace_[index].duration - live.done, Moment::kEnd, index});
    if (trains == now_) return Join(index);
    due_.insert({trains, Moment::kJoin, index});
  }

  // The core makes room: the ranks write a checkpoint and leave, at once.
  void Stop(const pb::StopGang& stop) {
    const size_t index = IndexOf(stop.job_id());
    Live& live = live_[index];
    if (!live.runs || live.generation != stop.generation()) return;
    const int64_t trains = live.run.begin + live.run.cost;
    due_.erase({trains + trace_[index].duration - live.done, Moment::kEnd, index});
    due_.erase({trains, Moment::kJoin, index});
    ++result_.preemptions;
    Leave(index);
  }

  // Every event of the replay is legal, so a refusal is a mistake of the replay itself.
  void Step() {
    std::vector<pb::Event> events;
    events.swap(events_);
    const scheduler::StepResult step = core_->Step(events, kStart + absl::Seconds(now_));
    ++result_.steps;
    RM_CHECK(step.record.refusals().empty(), "the replay broke a rule: ",
             step.record.refusals().empty() ? "" : step.record.refusals(0).reason().sentence());
    wake_up_ = step.next_wake_up;
    for (const pb::Action& action : step.record.actions()) {
      if (action.has_start_gang()) Start(action.start_gang());
      if (action.has_stop_gang()) Stop(action.stop_gang());
    }
  }

  pb::Event& Add() { return events_.emplace_back(); }

  const std::vector<TraceJob>& trace_;
  ReplayOptions options_;
  std::unique_ptr<scheduler::Scheduler> core_;
  std::vector<Live> live_;
  std::vector<pb::Event> events_;
  std::set<Due> due_;
  size_t coming_ = 0;
  int64_t now_ = 0;
  absl::Time wake_up_ = absl::InfiniteFuture();
  ReplayResult result_;
};

}  // namespace

absl::StatusOr<ReplayResult> Replay(const std::vector<TraceJob>& trace,
                                    const ReplayOptions& options) {
  return World(trace, options).Run();
}

}  // namespace rm::bench
