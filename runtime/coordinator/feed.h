// Streams of answers (Watch, Events, Logs) without gRPC.
//
// A Feed is asked for its next message whenever the one before has been written, so nothing queues
// up for a slow client: what a feed says is always the present. A FeedCall joins a Feed with the
// StreamSink that writes to the client; a FeedList asks all calls of a thread.
//
//   FeedList.PollAll ─► FeedCall.Poll ─► Feed.Poll ─► StreamSink.Write
//                            ▲ Written ◄──────────────────── (when it is written)
//
// A feed that has nothing at present is asked again after each batch of its thread: whatever
// changes, changes by a task, so nothing is missed and no feed needs to be woken up. Asking costs a
// comparison of counters.
//
// Everything here belongs to one thread (a TaskThread); a sink reports back by posting to it.
#ifndef RM_RUNTIME_COORDINATOR_FEED_H_
#define RM_RUNTIME_COORDINATOR_FEED_H_

#include <list>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace rm::coordinator {

enum class FeedNext {
  kMessage,  // there is a message
  kLater,    // nothing at present: ask again
  kEnd,      // the stream is over
};

// Where the messages of one stream come from. Made for one client, asked by one FeedCall.
template <typename T>
class Feed {
 public:
  virtual ~Feed() = default;
  // kMessage: `*message` is set. kEnd: `*status` is set. `now` is of a monotonic clock.
  virtual FeedNext Poll(absl::Duration now, T* message, absl::Status* status) = 0;
};

// Where the messages of one stream go.
template <typename T>
class StreamSink {
 public:
  virtual ~StreamSink() = default;
  // Begins to write `message`, which stays as it is until FeedCall::Written is called. One at a
  // time.
  virtual void Write(const T& message) = 0;
  // Ends the stream; the last call. The sink may be gone when it returns.
  virtual void Finish(const absl::Status& status) = 0;
};

// A stream that is asked for messages as long as it is open.
class PolledCall {
 public:
  virtual ~PolledCall() = default;
  // False: it is over and need not be asked again.
  virtual bool Poll(absl::Duration now) = 0;
  // Ends it with `status`, unless it is over. A write on its way is not waited for.
  virtual void Close(const absl::Status& status) = 0;
};

// One stream: asks its feed when the sink is free. Ends once: by the feed, by Close, or because the
// client is gone; after that it holds neither feed nor sink.
template <typename T>
class FeedCall final : public PolledCall {
 public:
  // Borrows the sink until it has called Finish on it.
  explicit FeedCall(StreamSink<T>* sink) : sink_(sink) {}

  // From now on the feed is asked. No effect on a call that is over. REQUIRES: called once at most.
  void Begin(std::unique_ptr<Feed<T>> feed) {
    if (sink_ != nullptr) feed_ = std::move(feed);
  }

  bool Poll(absl::Duration now) override {
    if (sink_ == nullptr) return false;
    if (writing_ || feed_ == nullptr) return true;
    absl::Status status;
    switch (feed_->Poll(now, &message_, &status)) {
      case FeedNext::kMessage:
        writing_ = true;
        sink_->Write(message_);
        return true;
      case FeedNext::kLater: return true;
      case FeedNext::kEnd: Close(status); return false;
    }
    return false;
  }

  // The last message is written; false: it could not be, and the client is gone.
  void Written(bool ok) {
    writing_ = false;
    if (!ok) Close(absl::CancelledError("the client is gone"));
  }

  void Close(const absl::Status& status) override {
    if (sink_ == nullptr) return;
    StreamSink<T>* const sink = std::exchange(sink_, nullptr);
    feed_.reset();
    sink->Finish(status);
  }

 private:
  std::unique_ptr<Feed<T>> feed_;  // nullptr: not begun, or over
  StreamSink<T>* sink_;            // nullptr: over
  T message_;
  bool writing_ = false;
};

// The open streams of one thread.
class FeedList {
 public:
  // The call is shared with the sink's callbacks, which may come after it is over. A list that was
  // closed closes it at once.
  void Add(std::shared_ptr<PolledCall> call);
  // Asks every stream once and forgets those that are over.
  void PollAll(absl::Duration now);
  // Ends every stream with `status`, and each that is added later.
  void CloseAll(const absl::Status& status);

  [[nodiscard]] size_t size() const { return calls_.size(); }

 private:
  std::list<std::shared_ptr<PolledCall>> calls_;
  absl::Status closed_;  // not OK: CloseAll's
};

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_FEED_H_
