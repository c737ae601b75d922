// A feed keeps only what its client has seen, as positions and counters; what is new is the
// difference to the present. So any number of changes between two polls is one message, and a slow
// client costs nothing.
#include "runtime/coordinator/job_feeds.h"

#include <utility>

#include "scheduler/state/job_state.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

constexpr absl::Duration kProgressEvery = absl::Milliseconds(200);

// Also when it ended so long ago that it is not known any more.
bool HasEnded(const Coordinator& coordinator, const std::string& job_id) {
  const scheduler::Job* const job = coordinator.state().FindJob(job_id);
  return job == nullptr || scheduler::IsEnded(job->state);
}

}  // namespace

WatchFeed::WatchFeed(Coordinator& coordinator, std::string job_id)
    : coordinator_(coordinator), job_id_(std::move(job_id)) {}

FeedNext WatchFeed::Poll(absl::Duration now, pb::Job* job, absl::Status* status) {
  // A transition goes out at once, and takes the newest progress with it. Progress alone is thinned
  // out: the last report before the end is not lost, because the final transition carries it.
  const size_t end = coordinator_.history().EndOf(job_id_);
  const LiveJob* const live = coordinator_.live().Find(job_id_);
  const int64_t changes = live == nullptr ? 0 : live->changes;
  const bool progress_is_due = changes != seen_changes_ && now - sent_ >= kProgressEvery;
  const bool is_first = sent_ == -absl::InfiniteDuration();
  if (is_first || end != seen_end_ || progress_is_due) {
    seen_end_ = end;
    seen_changes_ = changes;
    sent_ = now;
    const absl::StatusOr<pb::Job> view = coordinator_.View(job_id_);
    if (!view.ok()) {
      *status = view.status();
      return FeedNext::kEnd;
    }
    *job = *view;
    return FeedNext::kMessage;
  }
  if (!HasEnded(coordinator_, job_id_)) return FeedNext::kLater;
  *status = absl::OkStatus();
  return FeedNext::kEnd;
}

EventsFeed::EventsFeed(Coordinator& coordinator, std::string job_id, bool follow)
    : coordinator_(coordinator), job_id_(std::move(job_id)), follow_(follow) {}

FeedNext EventsFeed::Poll(absl::Duration /*now*/, pb::JobEvent* event, absl::Status* status) {
  const pb::JobEvent* const next = coordinator_.history().Next(job_id_, &position_);
  if (next != nullptr) {
    *event = *next;
    return FeedNext::kMessage;
  }
  // The order matters: all events are sent before the end of the job is looked at, and both are of
  // the same moment.
  const bool more_may_come = job_id_.empty() || !HasEnded(coordinator_, job_id_);
  if (follow_ && more_may_come) return FeedNext::kLater;
  *status = absl::OkStatus();
  return FeedNext::kEnd;
}

}  // namespace rm::coordinator
