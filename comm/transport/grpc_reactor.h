// One completion queue, served by whichever thread waits for something on it.
//
// There is no thread of its own: the thread that needs a frame polls the sockets itself, so that a
// frame reaches its user without a hand-over. When several threads wait, one of them polls for all
// (leader and followers). The mutex guards the reactor and everything its handlers touch.
#ifndef RM_COMM_TRANSPORT_GRPC_REACTOR_H_
#define RM_COMM_TRANSPORT_GRPC_REACTOR_H_

#include <grpcpp/alarm.h>
#include <grpcpp/completion_queue.h>

#include <atomic>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "base/mutex.h"

namespace rm::comm {

// Runs when an operation on the queue has ended. A pointer to it is the operation's tag; it
// outlives the operation.
class Completion {
 public:
  virtual ~Completion() = default;
  // Called once for each operation, with the reactor's mutex held. `ok` as in
  // grpc::CompletionQueue.
  virtual void OnCompletion(bool ok) = 0;
};

// Thread-safe.
class GrpcReactor {
 public:
  explicit GrpcReactor(std::unique_ptr<grpc::ServerCompletionQueue> queue);

  // REQUIRES: the server of the queue is shut down, and every operation has been started and none
  // will be. Serves what is left.
  ~GrpcReactor();

  GrpcReactor(const GrpcReactor&) = delete;
  GrpcReactor& operator=(const GrpcReactor&) = delete;

  // Guards all that completions touch. Operations may be started with it held.
  [[nodiscard]] base::Mutex& mutex() ABSL_LOCK_RETURNED(mutex_) { return mutex_; }

  [[nodiscard]] grpc::ServerCompletionQueue* queue() { return queue_.get(); }

  // Serves completions until done(), which is called with the mutex held, or the deadline has
  // passed. Returns done(). Releases the mutex while it waits.
  bool ServeUntil(absl::FunctionRef<bool()> done, absl::Time deadline)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // Makes every waiting ServeUntil look at its condition again. Needs no lock.
  void Wake();

 private:
  class WakeCompletion final : public Completion {
   public:
    explicit WakeCompletion(GrpcReactor& reactor) : reactor_(reactor) {}
    void OnCompletion(bool ok) override;

   private:
    GrpcReactor& reactor_;
  };

  void PollOnce(absl::Time deadline) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  base::Mutex mutex_;
  base::CondVar polled_;                          // a leader has served something, or left
  bool polling_ ABSL_GUARDED_BY(mutex_) = false;  // there is a leader
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::atomic<bool> wake_pending_{false};  // the alarm is set and its completion not yet served
  WakeCompletion woken_;
  grpc::Alarm alarm_;
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_GRPC_REACTOR_H_
