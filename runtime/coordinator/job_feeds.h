// Jobs.Watch and Jobs.Events as feeds over the coordinator. On its thread.
//
// A feed holds the job's id and no pointer into the state: a job that ended long ago is forgotten,
// and a client who is so slow that it misses that gets NotFound.
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
  size_t seen_end_ = 0;       // History::EndOf that the client knows of
  int64_t seen_changes_ = 0;  // LiveJob::changes that the client knows of
  absl::Duration sent_ = -absl::InfiniteDuration();
};

// All transitions that are kept, of one job or of all jobs and workers; with follow, those that
// come, until the job ends (of all: until the client leaves).
class EventsFeed final : public Feed<::ringmaster::v1::JobEvent> {
 public:
  // Borrows the coordinator. `job_id` empty: all. REQUIRES: else there is such a job.
  EventsFeed(Coordinator& coordinator, std::string job_id, bool follow);

  FeedNext Poll(absl::Duration now, ::ringmaster::v1::JobEvent* event,
                absl::Status* status) override;

 private:
  Coordinator& coordinator_;
  const std::string job_id_;
  const bool follow_;
  size_t position_ = 0;  // in the history: what stands before it was sent, or is kept no more
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_JOB_FEEDS_H_
