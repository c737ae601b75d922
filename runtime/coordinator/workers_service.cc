// The stream's two directions have different owners. Reading runs on gRPC's threads and posts what
// it reads; writing happens on the coordinator's thread only, which knows from StreamLink whether
// the reactor is still there. The reactor dies in OnDone; link and session live until the last task
// that holds them has run.
#include "runtime/coordinator/workers_service.h"

#include <atomic>
#include <deque>
#include <memory>
#include <utility>

#include "proto/worker.grpc.pb.h"
#include "runtime/coordinator/attached_workers.h"
#include "runtime/coordinator/rpc_status.h"
#include "runtime/coordinator/worker_session.h"

namespace rm::coordinator {
namespace {

namespace pb = ::ringmaster::v1;

using Reactor = grpc::ServerBidiReactor<pb::WorkerMessage, pb::WorkerCommand>;

// Messages of one stream that may wait for the coordinator's thread; then reading pauses, and
// HTTP/2 flow control slows the worker down instead of our memory filling up.
constexpr int kWaitingMax = 256;

// The writing side of a stream, on the coordinator's thread. Outlives the reactor.
class StreamLink final : public WorkerLink {
 public:
  explicit StreamLink(Reactor* reactor) : reactor_(reactor) {}

  void Send(const pb::WorkerCommand& command) override {
    if (reactor_ == nullptr) return;
    queue_.push_back(command);
    if (!writing_) WriteNext();
  }

  void Close(const absl::Status& status) override {
    Reactor* const reactor = std::exchange(reactor_, nullptr);
    if (reactor != nullptr) reactor->Finish(ToGrpc(status));
  }

  void OnWritten(bool ok) {
    writing_ = false;
    queue_.pop_front();  // kept until now: gRPC serialises it, but the deque must not move it
    if (!ok) Close(absl::CancelledError("the worker is gone"));
    if (reactor_ != nullptr && !queue_.empty()) WriteNext();
  }

  // Reads on, unless the stream has ended.
  void ReadOn(pb::WorkerMessage* message) {
    if (reactor_ != nullptr) reactor_->StartRead(message);
  }

 private:
  void WriteNext() {
    writing_ = true;
    reactor_->StartWrite(&queue_.front());
  }

  Reactor* reactor_;                     // nullptr: the stream has ended; the reactor may be gone
  std::deque<pb::WorkerCommand> queue_;  // the first is being written when writing_
  bool writing_ = false;
};

// A stream as gRPC calls it. Deletes itself at its end; what it shares with posted tasks does not.
class AttachReactor final : public Reactor {
 public:
  AttachReactor(TaskThread& engine, Coordinator& coordinator)
      : engine_(engine),
        link_(std::make_shared<StreamLink>(this)),
        session_(std::make_shared<WorkerSession>(coordinator, link_)),
        waiting_(std::make_shared<std::atomic<int>>(0)) {
    StartRead(&message_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return End();
    link_->Hear();
    // The most frequent message is done with here: no task, no lock, no wait for the journal.
    if (message_.has_heartbeat()) return StartRead(&message_);
    engine_.Post([session = session_, link = link_, waiting = waiting_, next = &message_,
                  message = std::exchange(message_, {})]() mutable {
      session->OnMessage(std::move(message));
      if (waiting->fetch_sub(1) == kWaitingMax) link->ReadOn(next);
    });
    // The last thing that is done here: when the limit is reached, the next read may begin on the
    // engine's thread at once, and with it the next call of this. Only this callback adds to the
    // count, so exactly one task sees the limit when it subtracts, and that one reads on.
    if (waiting_->fetch_add(1) + 1 < kWaitingMax) StartRead(&message_);
  }

  void OnWriteDone(bool ok) override {
    engine_.Post([link = link_, ok] { link->OnWritten(ok); });
  }

  void OnCancel() override { End(); }
  void OnDone() override { delete this; }

 private:
  // May come twice (a failed read and a cancellation): both steps are idempotent.
  void End() {
    engine_.Post([session = session_, link = link_] {
      session->OnEnd();
      link->Close(absl::OkStatus());
    });
  }

  TaskThread& engine_;
  pb::WorkerMessage message_;
  // Shared with posted tasks, which may run after the end of the stream.
  const std::shared_ptr<StreamLink> link_;
  const std::shared_ptr<WorkerSession> session_;
  const std::shared_ptr<std::atomic<int>> waiting_;
};

class WorkersService final : public pb::Workers::CallbackService {
 public:
  WorkersService(TaskThread& engine, Coordinator& coordinator)
      : engine_(engine), coordinator_(coordinator) {}

  Reactor* Attach(grpc::CallbackServerContext* /*context*/) override {
    return new AttachReactor(engine_, coordinator_);
  }

 private:
  TaskThread& engine_;
  Coordinator& coordinator_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeWorkersService(TaskThread& engine, Coordinator& coordinator) {
  return std::make_unique<WorkersService>(engine, coordinator);
}

}  // namespace rm::coordinator
