// A worker's stream to its coordinator: dialled for ever, re-attached after every break.
//
// One thread writes (Hello; once welcomed, what the outbox holds), one reads commands, one sends a
// heartbeat each 200 ms. The last takes no lock that it could wait for: where a message is being
// written at that moment, that message is the sign of life. When the stream breaks, all end and the
// next attach is tried after a pause that grows from 100 ms to 1 s; ranks are not touched. Nothing of
// the outbox is sent before the Welcome: a coordinator that refuses, or dies in between, must not take
// messages with it. Once the outbox is closed the stream is closed from this side, and nobody dials
// again. A Welcome with a probe_path is answered with a StorageProbe, without delaying anything.
#ifndef RM_RUNTIME_WORKER_ATTACHMENT_H_
#define RM_RUNTIME_WORKER_ATTACHMENT_H_

#include <grpcpp/client_context.h>
#include <grpcpp/support/status.h>
#include <grpcpp/support/sync_stream.h>

#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/mutex.h"
#include "proto/worker.pb.h"
#include "runtime/worker/complaint.h"
#include "runtime/worker/outbox.h"
#include "runtime/worker/storage_probe.h"
#include "runtime/worker/worker_options.h"

namespace rm::worker {

// Start and SetOnRefused belong to the owner's thread; Stop and refusal() are thread-safe.
class Attachment {
 public:
  static constexpr absl::Duration kHeartbeatInterval = absl::Milliseconds(200);

  // `on_command` is called on a thread of this object, never for Welcome. Outbox and callback outlive
  // it.
  Attachment(const WorkerOptions& options, Outbox& outbox,
             std::function<void(ringmaster::v1::WorkerCommand)> on_command);
  // Stops; see Stop.
  ~Attachment();
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;

  // Called once, on a thread of this object, when a refusal comes. Before Start.
  void SetOnRefused(std::function<void()> on_refused) { on_refused_ = std::move(on_refused); }

  // Starts dialling. Call once.
  void Start();

  // Closes the stream and the outbox: the coordinator sees at once that this worker is gone.
  void Stop();

  // A refusal that dialling again cannot mend (another version, an id that is taken): dialling has
  // ended, and the daemon should end with it. FailedPrecondition with the coordinator's sentence; OK
  // while there is none.
  [[nodiscard]] absl::Status refusal();

 private:
  class StreamWriter;

  // What the threads of one stream know of it.
  struct StreamState {
    bool welcomed = false;
    bool broken = false;
  };

  void Run();
  // One attach from the dial to the end of the stream. True: the coordinator had welcomed us.
  bool AttachOnce();
  void ReadCommands(grpc::ClientReaderWriter<ringmaster::v1::WorkerMessage,
                                             ringmaster::v1::WorkerCommand>& stream);
  void OnWelcome(const ringmaster::v1::Welcome& welcome);
  void WriteUntilBroken(StreamWriter& writer);
  // The next message of the outbox, waiting at most `timeout`; none before the Welcome.
  std::optional<ringmaster::v1::WorkerMessage> NextMessage(absl::Duration timeout);
  [[nodiscard]] bool IsBroken();
  void NoteEnd(const grpc::Status& status);
  [[nodiscard]] ringmaster::v1::WorkerMessage MakeHello();

  const WorkerOptions options_;
  Outbox& outbox_;
  const std::function<void(ringmaster::v1::WorkerCommand)> on_command_;
  std::function<void()> on_refused_;
  std::thread thread_;

  base::Mutex mutex_;
  base::CondVar changed_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* context_ ABSL_GUARDED_BY(mutex_) = nullptr;  // of the stream that stands
  StreamState stream_ ABSL_GUARDED_BY(mutex_);
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  Complaint not_attached_ ABSL_GUARDED_BY(mutex_);

  StorageProber prober_;  // last: its answers go into the outbox
};

}  // namespace rm::worker

#endif  // RM_RUNTIME_WORKER_ATTACHMENT_H_
