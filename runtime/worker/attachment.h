// A worker's stream to its coordinator: dialled for ever, re-attached after every break.
//
// One thread writes (what the outbox holds, and a heartbeat each 200 ms), one reads commands. When the stream breaks, both
// wait for the next attach; ranks are not touched.
#ifndef RM_RUNTIME_WORKER_ATTACHMENT_H_
#define RM_RUNTIME_WORKER_ATTACHMENT_H_

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "proto/worker.pb.h"
#include "runtime/worker/outbox.h"
#include "runtime/worker/worker_options.h"

namespace grpc {
class ClientContext;
}  // namespace grpc

namespace rm::worker {

class Attachment {
 public:
  // `on_command` is called on a thread of this object. Outbox and callback outlive it.
  Attachment(const WorkerOptions& options, Outbox& outbox,
             std::function<void(ringmaster::v1::WorkerCommand)> on_command);
  // Stops; see Stop.
  ~Attachment();
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  // Starts dialling. Call once.
  void Start();

  // Closes the stream: the coordinator sees at once that this worker is gone.
  void Stop();

  // A refusal that dialling again cannot mend (another version, an id that is taken). The daemon should end with it.
  // Thread-safe; OK while there is none. `on_refused` (optional) is called once when it comes.
  [[nodiscard]] absl::Status refusal();
  void SetOnRefused(std::function<void()> on_refused) { on_refused_ = std::move(on_refused); }

 private:
  void Run();
  absl::Status AttachOnce();
  void NoteEnd(const absl::Status& status);
  [[nodiscard]] ringmaster::v1::WorkerMessage MakeHello();

  const WorkerOptions options_;
  Outbox& outbox_;
  const std::function<void(ringmaster::v1::WorkerCommand)> on_command_;
  std::function<void()> on_refused_;
  std::thread thread_;
  std::atomic<bool> welcomed_{false};

  base::Mutex mutex_;
  base::CondVar changed_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of the stream that stands
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  std::string last_error_;  // the thread's own: an error is logged when it changes
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_ATTACHMENT_H_
