// Bytes of every rank, brought to every rank: for the small, rare messages of a checkpoint.
#ifndef RM_RUNTIME_TRAINER_GATHER_H_
#define RM_RUNTIME_TRAINER_GATHER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "comm/collective/communicator.h"

namespace rm::trainer {

// Collective: each rank gives its bytes and gets those of all, by rank. Sizes may differ; meant for kilobytes.
[[nodiscard]] absl::StatusOr<std::vector<std::string>> GatherBytes(
    comm::Communicator& communicator, absl::string_view mine);

// Collective: the root's bytes on every rank; what others give is ignored.
[[nodiscard]] absl::StatusOr<std::string> BroadcastBytes(comm::Communicator& communicator,
                                                         absl::string_view mine, int root);

}  // namespace rm::trainer

#endif  // RM_RUNTIME_TRAINER_GATHER_H_
