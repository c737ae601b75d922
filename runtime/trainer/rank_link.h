// A rank process's line to its worker: proto/rank.proto over the socket it was started with.
#ifndef RM_RUNTIME_TRAINER_RANK_LINK_H_
#define RM_RUNTIME_TRAINER_RANK_LINK_H_

#include <cstddef>
#include <mutex>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/rank.pb.h"

namespace rm::trainer {

// Send is thread-safe; one thread at a time calls Next. Borrows the descriptor.
class RankLink {
 public:
  static constexpr size_t kTrySendBytesMax = 2048;

  explicit RankLink(int fd) : fd_(fd) {}

  // Unavailable when the worker is gone.
  absl::Status Send(const ringmaster::v1::RankMessage& message);

  // As Send, unless another message is being sent, the socket is full, or the message is longer than
  // kTrySendBytesMax: then nothing is sent, and false is the answer. Neither waits nor allocates.
  bool TrySend(const ringmaster::v1::RankMessage& message);

  // The next command; blocks. OutOfRange when the worker is gone, DataLoss when it sends what is no command.
  [[nodiscard]] absl::StatusOr<ringmaster::v1::RankCommand> Next();

 private:
  const int fd_;
  std::mutex mutex_;  // one message at a time on the socket; std: TrySend only tries
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_RANK_LINK_H_
