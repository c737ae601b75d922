#include "comm/transport/grpc_reactor.h"

#include <grpcpp/grpcpp.h>

#include <utility>

namespace rm::comm {

GrpcReactor::GrpcReactor(std::unique_ptr<grpc::ServerCompletionQueue> queue)
    : queue_(std::move(queue)), woken_(*this) {}

GrpcReactor::~GrpcReactor() {
  queue_->Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
    base::MutexLock lock(mutex_);
    static_cast<Completion*>(tag)->OnCompletion(ok);
  }
}

bool GrpcReactor::ServeUntil(absl::FunctionRef<bool()> done, absl::Time deadline) {
  while (!done()) {
    if (absl::Now() >= deadline) return false;
    if (polling_) {
      polled_.WaitUntil(mutex_, deadline);
    } else {
      PollOnce(deadline);
    }
  }
  return true;
}

void GrpcReactor::PollOnce(absl::Time deadline) {
  const gpr_timespec until = deadline == absl::InfiniteFuture()
                                 ? gpr_inf_future(GPR_CLOCK_REALTIME)
                                 : grpc::TimePoint<std::chrono::system_clock::time_point>(
                                       absl::ToChronoTime(deadline))
                                       .raw_time();
  void* tag = nullptr;
  bool ok = false;
  polling_ = true;
  mutex_.Unlock();
  const auto result = queue_->AsyncNext(&tag, &ok, until);
  mutex_.Lock();
  polling_ = false;
  if (result == grpc::CompletionQueue::GOT_EVENT) static_cast<Completion*>(tag)->OnCompletion(ok);
  polled_.SignalAll();
}

void GrpcReactor::Wake() {
  if (wake_pending_.exchange(true)) return;
  alarm_.Set(queue_.get(), gpr_now(GPR_CLOCK_MONOTONIC), &woken_);
}

void GrpcReactor::WakeCompletion::OnCompletion(bool /*ok*/) { reactor_.wake_pending_ = false; }

}  // namespace rm::comm
