// How calls of gRPC's callback API reach a TaskThread and come back.
//
// gRPC calls reactors on threads of its own; everything of ours happens on the task thread. A
// reactor lives until OnDone, which comes after Finish; so what is posted holds not the reactor but
// something shared that knows whether it is still there.
#ifndef RM_RUNTIME_COORDINATOR_RPC_GLUE_H_
#define RM_RUNTIME_COORDINATOR_RPC_GLUE_H_

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "runtime/coordinator/feed.h"
#include "runtime/coordinator/jobs_api.h"
#include "runtime/coordinator/rpc_status.h"
#include "runtime/coordinator/task_thread.h"

namespace rm::coordinator {

// Ends a unary call with a reply or an error. Both pointers are gRPC's and live until then.
template <typename R>
void FinishCall(grpc::ServerUnaryReactor* reactor, R* reply, absl::StatusOr<R> result) {
  if (result.ok()) *reply = *std::move(result);
  reactor->Finish(ToGrpc(result.status()));
}

// The same as an Answer for the APIs that answer later.
template <typename R>
Answer<R> ReplyLater(grpc::ServerUnaryReactor* reactor, R* reply) {
  return
      [reactor, reply](absl::StatusOr<R> result) { FinishCall(reactor, reply, std::move(result)); };
}

// A server-streaming call that writes what a Feed says. Deletes itself at its end.
//
//   gRPC's threads        OnWriteDone, OnCancel ──post──► the feed's thread: Written, Close
//   the feed's thread     Write ──► StartWrite, Finish ──► gRPC
//
// Write is called again only after Written, so gRPC has one message of it at a time; Finish is
// called once, after which the call no longer knows this reactor and OnDone may delete it at any
// moment.
template <typename T>
class FeedReactor final : public grpc::ServerWriteReactor<T>, public StreamSink<T> {
 public:
  // `thread` is the one that the feed belongs to; it outlives the call.
  explicit FeedReactor(TaskThread& thread)
      : thread_(thread), call_(std::make_shared<FeedCall<T>>(this)) {}

  // To be begun, or closed with an error, on the thread.
  [[nodiscard]] const std::shared_ptr<FeedCall<T>>& call() const { return call_; }

  void Write(const T& message) override { this->StartWrite(&message); }
  void Finish(const absl::Status& status) override {
    grpc::ServerWriteReactor<T>::Finish(ToGrpc(status));
  }

  void OnWriteDone(bool ok) override {
    thread_.Post([call = call_, ok] { call->Written(ok); });
  }
  void OnCancel() override {
    thread_.Post([call = call_] { call->Close(absl::CancelledError("the client is gone")); });
  }
  void OnDone() override { delete this; }

 private:
  TaskThread& thread_;
  const std::shared_ptr<FeedCall<T>>
      call_;  // shared with the list of feeds and with what is posted
};

// A server-streaming call whose messages are made one after the other from something that takes time
// to read. It does one thing at a time: make a message on its thread, or wait for gRPC to have sent
// it, so that a slow client costs no memory. A task may hold the bare reactor: OnDone comes after
// Finish, which only a task calls, as the last thing it does; a client that is gone ends the write,
// and with it the call. Deletes itself.
template <typename T>
class PullReactor final : public grpc::ServerWriteReactor<T> {
 public:
  // Fills the next message, or says that there is none.
  using Next = std::function<absl::StatusOr<bool>(T*)>;

  // `thread` outlives the call.
  explicit PullReactor(TaskThread& thread) : thread_(thread) {}

  // Once, from a task of any thread: sends what `next` makes, or ends the call with an error.
  void Begin(absl::StatusOr<Next> next) {
    if (!next.ok()) return Leave(next.status());
    next_ = *std::move(next);
    Step();
  }

  void OnWriteDone(bool ok) override {
    thread_.Post([this, ok] { ok ? Step() : Leave(absl::CancelledError("the client is gone")); });
  }
  void OnDone() override { delete this; }

 private:
  void Step() {
    message_.Clear();
    const absl::StatusOr<bool> more = next_(&message_);
    if (!more.ok() || !*more) return Leave(more.status());
    this->StartWrite(&message_);
  }
  void Leave(const absl::Status& status) {
    next_ = nullptr;  // here, not in OnDone: what it closes may wait for a disk
    this->Finish(ToGrpc(status));
  }

  TaskThread& thread_;
  Next next_;
  T message_;
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_RPC_GLUE_H_
