// What happened: every transition in order, which request made which job, and the statistics of the
// past.
//
// A function of the journal's records alone, so it is the same after a restart. Not thread-safe.
#ifndef RM_RUNTIME_COORDINATOR_HISTORY_H_
#define RM_RUNTIME_COORDINATOR_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "proto/api.pb.h"
#include "proto/scheduler.pb.h"
#include "runtime/telemetry/histogram.h"

namespace rm::coordinator {

// Sums over the life of the journal: a restart does not reset them.
struct Statistics {
  telemetry::Histogram queue_wait_seconds =
      telemetry::Histogram::ForSeconds();  // Queued → Starting
  telemetry::Histogram recovery_seconds =
      telemetry::Histogram::ForSeconds();     // Recovering → Running
  std::map<std::string, int64_t> recoveries;  // by reason code
  int64_t records = 0;
  int64_t events = 0;
};

class History {
 public:
  // REQUIRES: records in the order in which they were made.
  void Apply(const ::ringmaster::v1::JournalRecord& record);

  // Transitions of jobs and workers, oldest first; the submission of a new job is left out. Never
  // shrinks, so a position in it stays valid.
  [[nodiscard]] const std::deque<::ringmaster::v1::JobEvent>& events() const { return events_; }
  // Positions in events() of one job's transitions, ascending; valid until the next Apply.
  [[nodiscard]] absl::Span<const size_t> EventsOf(const std::string& job_id) const;

  // Ids of all jobs in the order of their submission.
  [[nodiscard]] const std::vector<std::string>& jobs() const { return jobs_; }
  // The job that was submitted under a request id; nullptr: none. An empty id is no id.
  [[nodiscard]] const std::string* JobOfRequest(const std::string& request_id) const;

  [[nodiscard]] const Statistics& statistics() const { return statistics_; }

 private:
  // Keeps one transition, and counts it.
  void Apply(const ::ringmaster::v1::JobTransition& transition);
  void Count(const ::ringmaster::v1::JobTransition& transition);

  std::deque<::ringmaster::v1::JobEvent> events_;
  // Positions grow with the history, so each list is ascending by itself.
  std::map<std::string, std::vector<size_t>> events_of_job_;
  std::vector<std::string> jobs_;
  std::map<std::string, std::string> job_of_request_;
  std::map<std::string, absl::Time> since_;  // when a job came to QUEUED or RECOVERING
  Statistics statistics_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_HISTORY_H_
