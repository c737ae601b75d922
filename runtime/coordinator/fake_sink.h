// A stream's client that only remembers: for tests.
#ifndef RM_RUNTIME_COORDINATOR_FAKE_SINK_H_
#define RM_RUNTIME_COORDINATOR_FAKE_SINK_H_

#include <vector>

#include "absl/status/status.h"
#include "runtime/coordinator/feed.h"

namespace rm::coordinator {

// What the client has got. Written when the call polls; Ready() must be called for the next message.
template <typename T>
class FakeSink final : public StreamSink<T> {
 public:
  void Write(const T& message) override { messages.push_back(message); }
  void Finish(const absl::Status& status) override { finished.push_back(status); }

  std::vector<T> messages;
  std::vector<absl::Status> finished;  // at most one
};

// Polls `feed` as long as it has messages; returns them. `last` and `status` say how it ended.
template <typename T>
std::vector<T> ReadAll(Feed<T>& feed, absl::Duration now, FeedNext* last, absl::Status* status) {
  std::vector<T> messages;
  T message;
  while ((*last = feed.Poll(now, &message, status)) == FeedNext::kMessage) {
    messages.push_back(message);
  }
  return messages;
}

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_FAKE_SINK_H_
