// Asks workers whether a job can run where its data is.
//
// A question goes to one attached worker that sees the storage and fits the job's node selector:
// the one with the fewest questions open, the first by id of equals. When that worker is lost, or
// has not answered in time, it goes to another; without a worker it waits for one. Not thread-safe.
#ifndef RM_RUNTIME_COORDINATOR_PREFLIGHTS_H_
#define RM_RUNTIME_COORDINATOR_PREFLIGHTS_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/worker.pb.h"
#include "runtime/coordinator/attached_workers.h"

namespace rm::coordinator {

class Preflights {
 public:
  // Gets the errors that were found; none: the job can run.
  using Done = std::function<void(const std::vector<std::string>& errors)>;

  // Borrows `workers`, which outlives it.
  explicit Preflights(const AttachedWorkers& workers) : workers_(workers) {}

  // Asks under the id `request.job_id()`; a question of that id that is open already stays, and
  // `done` is dropped. `done` is called at most once, from OnReport.
  void Ask(const ::ringmaster::v1::PreflightRequest& request, Done done);
  // Drops a question; its answer will be ignored.
  void Cancel(const std::string& id);

  // An answer; false when nothing of that id is open.
  bool OnReport(const ::ringmaster::v1::PreflightReport& report);
  // The worker is not attached any more: its questions go to others.
  void OnDetached(const std::string& worker_id);
  // Hands out what waits, and asks again what was not answered for 30 s. `now` is of a monotonic
  // clock.
  void Check(absl::Duration now);

  // Questions that are not answered, and of those the ones that no worker has.
  [[nodiscard]] size_t open() const { return questions_.size(); }
  [[nodiscard]] size_t waiting() const;

 private:
  // One open question.
  struct Question {
    ::ringmaster::v1::PreflightRequest request;
    Done done;
    std::string worker_id;  // who was asked; empty: nobody
    std::string former;     // who did not answer
    absl::Duration asked = absl::ZeroDuration();
  };
  // Empty: no attached worker fits.
  [[nodiscard]] std::string ChooseWorker(const Question& question) const;

  const AttachedWorkers& workers_;
  std::map<std::string, Question> questions_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_PREFLIGHTS_H_
