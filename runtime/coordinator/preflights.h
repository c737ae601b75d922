// Asks workers whether a job can run where its data is: each host that the job may be placed on.
//
// A host is asked when a worker on it sees the storage, takes new work and fits the job's node
// selector; when all that fit are being drained, they are asked. Of a host's workers the one with
// the fewest questions open is asked, the first by id of equals. When that worker is lost, or has not
// answered in time, the question goes to another one of its host; a host that has nobody else is
// passed over once another host has answered. Without any host a question waits for one. Hosts that
// attach later are not asked: what is asked of them would never end. Not thread-safe.
#ifndef RM_RUNTIME_COORDINATOR_PREFLIGHTS_H_
#define RM_RUNTIME_COORDINATOR_PREFLIGHTS_H_

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "proto/worker.pb.h"
#include "runtime/coordinator/attached_workers.h"

namespace rm::coordinator {

class Preflights {
 public:
  // Gets the errors that were found; none: the job can run. An error that not all hosts have names
  // those that do.
  using Done = std::function<void(const std::vector<std::string>& errors)>;
  // Whether the worker is given new ranks, as the scheduler sees it.
  using TakesWork = std::function<bool(const std::string& worker_id)>;

  // Borrows `workers`, which outlives it.
  Preflights(const AttachedWorkers& workers, TakesWork takes_work)
      : workers_(workers), takes_work_(std::move(takes_work)) {}

  // Asks under the id `request.job_id()`; a question of that id that is open already stays, and
  // `done` is dropped. `done` is called at most once, from OnReport or Check.
  void Ask(const ::ringmaster::v1::PreflightRequest& request, Done done);
  // Drops a question; its answer will be ignored.
  void Cancel(const std::string& id);

  // An answer of a worker; false when its host was not asked, or nothing of that id is open.
  bool OnReport(const std::string& worker_id, const ::ringmaster::v1::PreflightReport& report);
  // The worker is not attached any more: its questions go to others.
  void OnDetached(const std::string& worker_id);
  // Hands out what waits, and asks again what was not answered for 30 s. `now` is of a monotonic
  // clock.
  void Check(absl::Duration now);

  // Questions that are not settled, and of those the ones that no worker has.
  [[nodiscard]] size_t open() const { return questions_.size(); }
  [[nodiscard]] size_t waiting() const;

 private:
  // What one host was asked.
  struct Host {
    std::string worker_id;  // who was asked; empty: nobody
    std::string former;     // who did not answer
    absl::Duration asked = absl::ZeroDuration();
    bool has_answered = false;
    std::vector<std::string> errors;
  };
  // One open question.
  struct Question {
    ::ringmaster::v1::PreflightRequest request;
    Done done;
    std::map<std::string, Host> hosts;  // by name; empty: nobody was there to be asked
  };

  // The hosts that a job of `question` may be placed on.
  [[nodiscard]] std::map<std::string, Host> ChooseHosts(const Question& question) const;
  // Empty: no worker of the host fits any more.
  [[nodiscard]] std::string ChooseWorker(const Question& question, const std::string& name,
                                         const Host& host) const;
  // Questions that a worker has and has not answered.
  [[nodiscard]] int64_t OpenOf(const std::string& worker_id) const;
  // Asks whoever is to be asked now, and passes over who is gone.
  void Pursue(Question& question, absl::Duration now);
  // Hands the answer out when it is complete.
  void SettleIfComplete(const std::string& id);

  const AttachedWorkers& workers_;
  const TakesWork takes_work_;
  std::map<std::string, Question> questions_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_PREFLIGHTS_H_
