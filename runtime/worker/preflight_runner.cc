#include "runtime/worker/preflight_runner.h"

#include <algorithm>
#include <utility>

namespace rm::worker {
namespace pb = ::ringmaster::v1;

PreflightRunner::PreflightRunner(PreflightFunction check, Outbox& outbox)
    : check_(std::move(check)), outbox_(outbox), thread_([this] { Run(); }) {}

PreflightRunner::~PreflightRunner() {
  {
    base::MutexLock lock(mutex_);
    over_ = true;
    changed_.SignalAll();
  }
  thread_.join();
}

void PreflightRunner::Ask(pb::PreflightRequest request) {
  base::MutexLock lock(mutex_);
  const bool waits = std::any_of(waiting_.begin(), waiting_.end(), [&](const auto& other) {
    return other.job_id() == request.job_id();
  });
  if (waits) return;
  waiting_.push_back(std::move(request));
  changed_.SignalAll();
}

void PreflightRunner::Run() {
  for (;;) {
    pb::PreflightRequest request;
    {
      base::MutexLock lock(mutex_);
      while (waiting_.empty() && !over_) changed_.Wait(mutex_);
      if (over_) return;
      request = std::move(waiting_.front());
      waiting_.pop_front();
    }
    pb::WorkerMessage answer;
    answer.mutable_preflight()->set_job_id(request.job_id());
    for (std::string& error : check_(request)) {
      answer.mutable_preflight()->add_errors(std::move(error));
    }
    outbox_.Push(std::move(answer));
  }
}

}  // namespace rm::worker
