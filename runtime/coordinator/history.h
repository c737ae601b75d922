// What happened: every transition in order, which request made which job, and the statistics of the
// past.
//
// A function of the journal's records and of which jobs are known, so it is the same after a
// restart. Bounded: of the transitions, only the newest are kept, and none of a forgotten job. Not
// thread-safe.
#ifndef RM_RUNTIME_COORDINATOR_HISTORY_H_
#define RM_RUNTIME_COORDINATOR_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
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
  // Transitions that are kept: at a few hundred bytes each, some 50 MB.
  static constexpr size_t kEventsMax = 200'000;

  explicit History(size_t events_max = kEventsMax) : events_max_(events_max) {}

  // REQUIRES: records in the order in which they were made.
  void Apply(const ::ringmaster::v1::JournalRecord& record);

  // The transitions of jobs and workers that are kept, by position; the submission of a new job is
  // left out. Every transition has a position, from 0 in the order of time, which stays its own when
  // others are dropped.
  [[nodiscard]] const std::map<size_t, ::ringmaster::v1::JobEvent>& events() const {
    return events_;
  }
  // The position that the next one will get.
  [[nodiscard]] size_t end_position() const { return end_position_; }
  // The first kept transition at or after `position`, of one job or (with an empty id) of all jobs
  // and workers; sets `position` to the one behind it. nullptr: there is none.
  [[nodiscard]] const ::ringmaster::v1::JobEvent* Next(const std::string& job_id,
                                                       size_t* position) const;
  // The position behind a job's newest transition; 0: none is kept. Grows with each of them.
  [[nodiscard]] size_t EndOf(const std::string& job_id) const;

  // A job and its place in the order of submission, from 1, which stays its own when older jobs are
  // forgotten.
  struct Submitted {
    int64_t ordinal = 0;
    std::string job_id;
  };
  // The jobs that were not forgotten, in the order of their submission.
  [[nodiscard]] const std::vector<Submitted>& jobs() const { return jobs_; }
  // The job that was submitted under a request id; nullptr: none. An empty id is no id.
  [[nodiscard]] const std::string* JobOfRequest(const std::string& request_id) const;

  // Forgets the jobs that are not known any more, with their requests and transitions, and returns
  // their ids. Takes time for every job: not to be called at every record.
  std::vector<std::string> Forget(absl::FunctionRef<bool(const std::string& job_id)> is_known);

  [[nodiscard]] const Statistics& statistics() const { return statistics_; }

 private:
  // Keeps one transition, and counts it.
  void Apply(const ::ringmaster::v1::JobTransition& transition);
  // Drops the oldest transitions beyond events_max_.
  void DropOld();
  void Count(const ::ringmaster::v1::JobTransition& transition);

  // Adds an event at the next position, to be filled.
  ::ringmaster::v1::JobEvent& AddEvent() { return events_[end_position_++]; }

  const size_t events_max_;
  std::map<size_t, ::ringmaster::v1::JobEvent> events_;  // with gaps where jobs were forgotten
  size_t end_position_ = 0;
  // Positions of each job's transitions. They grow with the history, so each list is ascending by
  // itself, and what is dropped stands at its front.
  std::map<std::string, std::deque<size_t>> positions_of_job_;
  std::vector<Submitted> jobs_;
  int64_t submitted_ = 0;  // jobs so far
  std::map<std::string, std::string> job_of_request_;
  std::map<std::string, absl::Time> since_;  // when a job came to QUEUED or RECOVERING
  Statistics statistics_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_HISTORY_H_
