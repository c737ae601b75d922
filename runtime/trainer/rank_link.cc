#include "runtime/trainer/rank_link.h"

#include <poll.h>

#include <array>
#include <string>

#include "absl/strings/string_view.h"
#include "base/frame_socket.h"
#include "base/status.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;

absl::Status RankLink::Send(const pb::RankMessage& message) {
  const std::string bytes = message.SerializeAsString();
  const std::lock_guard<std::mutex> lock(mutex_);
  return base::WriteFrame(fd_, bytes);
}

// A socket that is writable has room for a frame of this size: the kernel says so only while less
// than a quarter of its buffer is taken.
bool RankLink::TrySend(const pb::RankMessage& message) {
  std::array<char, kTrySendBytesMax> memory;  // not from the heap: its locks are not ours to wait for
  const size_t size = message.ByteSizeLong();
  if (size > memory.size() || !message.SerializeToArray(memory.data(), static_cast<int>(size))) {
    return false;
  }
  const absl::string_view bytes(memory.data(), size);
  const std::unique_lock<std::mutex> lock(mutex_, std::try_to_lock);
  pollfd writable = {fd_, POLLOUT, 0};
  if (!lock.owns_lock() || ::poll(&writable, 1, 0) != 1) return false;
  return base::WriteFrame(fd_, bytes).ok();
}

absl::StatusOr<pb::RankCommand> RankLink::Next() {
  RM_ASSIGN_OR_RETURN(const std::string bytes, base::ReadFrame(fd_));
  pb::RankCommand command;
  if (!command.ParseFromString(bytes)) {
    return absl::DataLossError("the worker sent something that is no command");
  }
  return command;
}

}  // namespace rm::trainer
