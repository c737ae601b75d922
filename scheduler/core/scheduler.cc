#include "scheduler/core/scheduler.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "scheduler/core/fence.h"
#include "scheduler/core/fold.h"
#include "scheduler/core/pass.h"
#include "scheduler/core/rank_events.h"
#include "scheduler/core/reasons.h"
#include "scheduler/core/refusals.h"
#include "scheduler/core/requests.h"
#include "scheduler/core/step_context.h"
#include "scheduler/core/timers.h"
#include "scheduler/core/worker_events.h"
#include "scheduler/placement/placement.h"
#include "scheduler/policy/policy.h"

namespace rm::scheduler {
namespace {

// The one gate between the world and the state: what passes it is legal, and everything behind it
// may CHECK.
template <typename Payload>
void TakeOrRefuse(StepContext& step, const pb::Event& event, const Payload& payload) {
  if (const Refused refused = Refuse(step.state(), payload)) {
    step.Refuse(*refused);
    StopRefusedRank(step, event, *refused);
  } else {
    Take(step, payload);
  }
}

void TakeEvent(StepContext& step, const pb::Event& event) {
  step.Begin(event);
  switch (event.event_case()) {
    case pb::Event::kSubmit: return TakeOrRefuse(step, event, event.submit());
    case pb::Event::kCancel: return TakeOrRefuse(step, event, event.cancel());
    case pb::Event::kPause: return TakeOrRefuse(step, event, event.pause());
    case pb::Event::kResume: return TakeOrRefuse(step, event, event.resume());
    case pb::Event::kPreflight: return TakeOrRefuse(step, event, event.preflight());
    case pb::Event::kWorkerAttached: return TakeOrRefuse(step, event, event.worker_attached());
    case pb::Event::kWorkerLost: return TakeOrRefuse(step, event, event.worker_lost());
    case pb::Event::kRankListening: return TakeOrRefuse(step, event, event.rank_listening());
    case pb::Event::kRankJoined: return TakeOrRefuse(step, event, event.rank_joined());
    case pb::Event::kRankExited: return TakeOrRefuse(step, event, event.rank_exited());
    case pb::Event::kCheckpointCommitted:
      return TakeOrRefuse(step, event, event.checkpoint_committed());
    case pb::Event::kTrainingDone: return TakeOrRefuse(step, event, event.training_done());
    case pb::Event::kTick: return TakeOrRefuse(step, event, event.tick());
    case pb::Event::kCoordinatorStarted:
      return TakeOrRefuse(step, event, event.coordinator_started());
    case pb::Event::kStartRefused: return TakeOrRefuse(step, event, event.start_refused());
    case pb::Event::kWorkerSilent: return TakeOrRefuse(step, event, event.worker_silent());
    case pb::Event::kWorkerHeard: return TakeOrRefuse(step, event, event.worker_heard());
    case pb::Event::kRankHung: return TakeOrRefuse(step, event, event.rank_hung());
    case pb::Event::kRankNotice: return TakeOrRefuse(step, event, event.rank_notice());
    case pb::Event::EVENT_NOT_SET:
      return step.Refuse(MakeReason("EmptyEvent", "the event says nothing"));
  }
}

// The start of the coordinator is known before anything else; submissions come last, so that what
// ends in the same instant has made room for them.
int TurnOf(const pb::Event& event) {
  switch (event.event_case()) {
    case pb::Event::kCoordinatorStarted: return 0;
    case pb::Event::kSubmit: return 2;
    default: return 1;
  }
}

constexpr int kTurns = 3;

}  // namespace

class Scheduler::Impl {
 public:
  Impl(const SchedulerOptions& given, const Policy& chosen)
      : options(given), policy(chosen), state(chosen.rank, given.windows(), given.retention) {}

  const SchedulerOptions options;
  const Policy& policy;
  ClusterState state;
  NeverFits never_fits;
  absl::Time next_pass = absl::InfiniteFuture();  // as the policy asked in the last step
};

absl::StatusOr<std::unique_ptr<Scheduler>> Scheduler::Create(const SchedulerOptions& options) {
  const Policy* policy = FindPolicy(options.policy);
  if (policy == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no scheduling policy '", options.policy, "'; choose one of: ", PolicyNames()));
  }
  if (FindPlacer(options.placement) == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("there is no placement '", options.placement,
                                                   "'; choose one of: ", PlacerNames()));
  }
  return std::unique_ptr<Scheduler>(new Scheduler(std::make_unique<Impl>(options, *policy)));
}

Scheduler::Scheduler(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Scheduler::~Scheduler() = default;

StepResult Scheduler::Step(absl::Span<const pb::Event> events, absl::Time now) {
  StepResult result;
  impl_->state.AdvanceTo(now);
  result.record.set_now_ns(absl::ToUnixNanos(impl_->state.now()));
  result.record.set_core_version(kCoreVersion);
  StepContext step(impl_->state, impl_->options, result.record);
  // Three walks over few events instead of a sort: the order within a turn is that of arrival.
  for (int turn = 0; turn < kTurns; ++turn) {
    for (size_t i = 0; i < events.size(); ++i) {
      if (TurnOf(events[i]) != turn) continue;
      result.taken.push_back(i);
      TakeEvent(step, events[i]);
    }
  }
  step.EndEvents();
  FireTimers(step);
  impl_->next_pass = PlaceJobs(step, impl_->policy, impl_->never_fits);
  impl_->state.Forget();
  result.next_wake_up = next_wake_up();
  return result;
}

absl::Status Scheduler::Fold(const pb::JournalRecord& record) {
  if (record.core_version() > kCoreVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("the journal was written by scheduler core ", record.core_version(),
                     ", this is core ", kCoreVersion, ": start the newer version again"));
  }
  impl_->next_pass = absl::InfiniteFuture();  // what was asked before is not so any more
  return FoldRecord(impl_->state, record);
}

const ClusterState& Scheduler::state() const { return impl_->state; }

absl::Time Scheduler::next_wake_up() const { 
  return std::min(impl_->state.next_deadline(), impl_->next_pass);
}

}  // namespace rm::scheduler
