// A worker id names at most one stream at a time. Streams end in their own time, and the end of one
// that was replaced may be reported long after the new one has begun: so everything that comes from
// a stream is matched by the stream itself (the pointer), never by the worker's id alone.
#include "runtime/coordinator/attached_workers.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace rm::coordinator {

namespace pb = ::ringmaster::v1;

void AttachedWorkers::Attach(const pb::Hello& hello, std::shared_ptr<WorkerLink> link) {
  // The worker knows better than we do that its old stream is dead: a half-open connection may look
  // alive here for minutes.
  Close(hello.worker_id(),
        absl::AbortedError(absl::StrCat("worker ", hello.worker_id(), " has attached anew")));
  workers_[hello.worker_id()] = Attached{std::move(link), hello, false, ""};
}

bool AttachedWorkers::Detach(const std::string& worker_id, const WorkerLink* link) {
  if (!IsPresent(worker_id, link)) return false;
  workers_.erase(worker_id);
  return true;
}

void AttachedWorkers::Close(const std::string& worker_id, const absl::Status& status) {
  const auto worker = workers_.find(worker_id);
  if (worker == workers_.end()) return;
  // Out of the map first: closing may report back at once, and must then find it gone.
  const std::shared_ptr<WorkerLink> link = std::move(worker->second.link);
  workers_.erase(worker);
  link->Close(status);
}

void AttachedWorkers::CloseAll(const absl::Status& status) {
  std::map<std::string, Attached> workers;
  workers.swap(workers_);
  for (auto& [id, worker] : workers) worker.link->Close(status);
}

void AttachedWorkers::Admit(const std::string& worker_id, const std::string& storage_problem) {
  const auto worker = workers_.find(worker_id);
  if (worker == workers_.end()) return;
  worker->second.is_admitted = true;
  worker->second.storage_problem = storage_problem;
}

const AttachedWorkers::Attached* AttachedWorkers::Find(const std::string& worker_id) const {
  const auto worker = workers_.find(worker_id);
  return worker == workers_.end() ? nullptr : &worker->second;
}

bool AttachedWorkers::IsPresent(const std::string& worker_id, const WorkerLink* link) const {
  const Attached* const worker = Find(worker_id);
  return worker != nullptr && worker->link.get() == link;
}

bool AttachedWorkers::Send(const std::string& worker_id, const pb::WorkerCommand& command) const {
  const Attached* const worker = Find(worker_id);
  if (worker == nullptr) return false;
  worker->link->Send(command);
  return true;
}

}  // namespace rm::coordinator
