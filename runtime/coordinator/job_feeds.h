// Jobs.Watch and Jobs.Events as feeds over the coordinator. On its thread.
//
// A job that is known stays known, so a feed needs no more than the job's id to go on; it holds no
// pointer into the state.
#ifndef RM_RUNTIME_COORDINATOR_JOB_FEEDS_H_
#define RM_RUNTIME_COORDINATOR_JOB_FEEDS_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "proto/api.pb.h"
#include "runtime/coordinator/coordinator.h"
#include "runtime/coordinator/feed.h"

namespace rm::coordinator {

// The job now, again at each transition, and with new progress or metrics at most every 200 ms;
// ends with OK after its final state was sent.
class WatchFeed final : public Feed<::ringmaster::v1::Job> {
 public:
  // Borrows the coordinator. REQUIRES: there is such a job.
  WatchFeed(Coordinator& coordinator, std::string job_id);

  FeedNext Poll(absl::Duration now, ::ringmaster::v1::Job* job, absl::Status* status) override;

 private:
  Coordinator& coordinator_;
  const std::string job_id_;
  size_t seen_events_ = 0;    // transitions that the client knows of; 0: nothing was sent yet
  int64_t seen_changes_ = 0;  // LiveJob::changes that the client knows of
  absl::Duration sent_ = -absl::InfiniteDuration();
};

// All transitions so far, of one job or of all jobs and workers; with follow, those that come,
// until the job ends (of all: until the client leaves).
class EventsFeed final : public Feed<::ringmaster::v1::JobEvent> {
 public:
  // Borrows the coordinator. `job_id` empty: all. REQUIRES: else there is such a job.
  EventsFeed(Coordinator& coordinator, std::string job_id, bool follow);

  FeedNext Poll(absl::Duration now, ::ringmaster::v1::JobEvent* event,
                absl::Status* status) override;

 private:
  // The next event that the client has not got; nullptr: none.
  [[nodiscard]] const ::ringmaster::v1::JobEvent* Next() const;

  Coordinator& coordinator_;
  const std::string job_id_;
  const bool follow_;
  size_t sent_ = 0;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_JOB_FEEDS_H_
