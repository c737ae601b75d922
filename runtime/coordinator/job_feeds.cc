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

}  // namespace

WatchFeed::WatchFeed(Coordinator& coordinator, std::string job_id)
    : coordinator_(coordinator), job_id_(std::move(job_id)) {}

FeedNext WatchFeed::Poll(absl::Duration now, pb::Job* job, absl::Status* status) {
  // A transition goes out at once, and takes the newest progress with it. Progress alone is thinned
  // out: the last report before the end is not lost, because the final transition carries it.
  const size_t events = coordinator_.history().EventsOf(job_id_).size();
  const LiveJob* const live = coordinator_.live().Find(job_id_);
  const int64_t changes = live == nullptr ? 0 : live->changes;
  const bool progress_is_due = changes != seen_changes_ && now - sent_ >= kProgressEvery;
  if (events != seen_events_ || progress_is_due) {
    seen_events_ = events;
    seen_changes_ = changes;
    sent_ = now;
    *job = coordinator_.View(job_id_);
    return FeedNext::kMessage;
  }
  if (!scheduler::IsEnded(coordinator_.state().FindJob(job_id_)->state)) return FeedNext::kLater;
  *status = absl::OkStatus();
  return FeedNext::kEnd;
}

EventsFeed::EventsFeed(Coordinator& coordinator, std::string job_id, bool follow)
    : coordinator_(coordinator), job_id_(std::move(job_id)), follow_(follow) {}

const pb::JobEvent* EventsFeed::Next() const {
  const History& history = coordinator_.history();
  if (job_id_.empty()) {
    return sent_ < history.events().size() ? &history.events()[sent_] : nullptr;
  }
  const absl::Span<const size_t> of_job = history.EventsOf(job_id_);
  return sent_ < of_job.size() ? &history.events()[of_job[sent_]] : nullptr;
}

FeedNext EventsFeed::Poll(absl::Duration /*now*/, pb::JobEvent* event, absl::Status* status) {
  const pb::JobEvent* const next = Next();
  if (next != nullptr) {
    ++sent_;
    *event = *next;
    return FeedNext::kMessage;
  }
  // The order matters: all events are sent before the end of the job is looked at, and both are of
  // the same moment.
  const bool more_may_come =
      job_id_.empty() || !scheduler::IsEnded(coordinator_.state().FindJob(job_id_)->state);
  if (follow_ && more_may_come) return FeedNext::kLater;
  *status = absl::OkStatus();
  return FeedNext::kEnd;
}

}  // namespace rm::coordinator
