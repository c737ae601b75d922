// What the ranks say while they train: progress, metrics, and what went wrong. In memory only; a
// restart begins anew with the next reports.
//
// Loss, speed and metrics are shown and never decided upon: what counts for the job (a checkpoint,
// its end) goes through the scheduler and the journal as an event besides.
//
// Reports of an older generation than the newest one heard of are ignored. Not thread-safe.
#ifndef RM_RUNTIME_COORDINATOR_LIVE_JOBS_H_
#define RM_RUNTIME_COORDINATOR_LIVE_JOBS_H_

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "proto/api.pb.h"
#include "proto/rank.pb.h"
#include "proto/scheduler.pb.h"

namespace rm::coordinator {

// What one rank of the present generation has said.
struct LiveRank {
  ::ringmaster::v1::Progress progress;  // the newest
  ::ringmaster::v1::Failed failed;      // has_reason() when it said that it failed
};

// What the ranks of one job have said.
struct LiveJob {
  int64_t generation = 0;
  std::map<int32_t, LiveRank> ranks;       // of this generation
  ::ringmaster::v1::JobProgress progress;  // of rank 0; step 0: none yet
  std::map<std::string, double> metrics;   // newest of each name, over all generations
  int64_t last_step = 0;  // the highest that any rank applied, over all generations
  int64_t changes = 0;    // grows with every change
};

class LiveJobs {
 public:
  // Takes a report. REQUIRES: the job is known to the scheduler.
  void OnReport(const ::ringmaster::v1::RankRef& rank, const ::ringmaster::v1::RankMessage& message,
                absl::Time now);

  // nullptr: nothing was heard of it.
  [[nodiscard]] const LiveJob* Find(const std::string& job_id) const;
  // The rank of exactly this generation; nullptr: nothing was heard of it.
  [[nodiscard]] const LiveRank* Find(const ::ringmaster::v1::RankRef& rank) const;

  // The job has ended: what was only of its ranks goes, progress and metrics stay.
  void OnEnded(const std::string& job_id);

  // The job is not known to the scheduler any more.
  void Forget(const std::string& job_id) { jobs_.erase(job_id); }

  // Steps that had been applied and were lost when generations went on from an earlier one.
  [[nodiscard]] int64_t steps_lost() const { return steps_lost_; }
  [[nodiscard]] const std::map<std::string, LiveJob>& jobs() const { return jobs_; }

 private:
  // The parts of OnReport that do more than copy.
  void OnProgress(LiveJob& job, int32_t rank, const ::ringmaster::v1::Progress& progress,
                  absl::Time now);
  void OnJoined(LiveJob& job, int32_t rank, int64_t first_step);

  std::map<std::string, LiveJob> jobs_;
  int64_t steps_lost_ = 0;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_LIVE_JOBS_H_
