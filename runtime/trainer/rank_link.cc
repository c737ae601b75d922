#include "runtime/trainer/rank_link.h"

#include <string>

#include "base/frame_socket.h"
#include "base/status.h"

namespace rm::trainer {
namespace pb = ::ringmaster::v1;

absl::Status RankLink::Send(const pb::RankMessage& message) {
  const std::string bytes = message.SerializeAsString();
  absl::MutexLock lock(&mutex_);
  return base::WriteFrame(fd_, bytes);
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
