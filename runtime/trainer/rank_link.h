// A rank process's line to its worker: proto/rank.proto over the socket it was started with.
#ifndef RM_RUNTIME_TRAINER_RANK_LINK_H_
#define RM_RUNTIME_TRAINER_RANK_LINK_H_

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "proto/rank.pb.h"

namespace rm::trainer {

// Send is thread-safe; one thread at a time calls Next. Borrows the descriptor.
class RankLink {
 public:
  explicit RankLink(int fd) : fd_(fd) {}

  // Unavailable when the worker is gone.
  absl::Status Send(const ringmaster::v1::RankMessage& message);

  // The next command; blocks. OutOfRange when the worker is gone, DataLoss when it sends what is no command.
  [[nodiscard]] absl::StatusOr<ringmaster::v1::RankCommand> Next();

 private:
  const int fd_;
  absl::Mutex mutex_;  // one message at a time on the socket
};

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_RANK_LINK_H_
