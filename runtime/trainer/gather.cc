#include "runtime/trainer/gather.h"

#include <cstddef>

#include "base/status.h"

namespace rm::trainer {

// Sizes first, so that every rank can make room, then one broadcast a rank. The cost is n broadcasts: fine for the kilobytes
// of a checkpoint's reports, not for tensors.
absl::StatusOr<std::vector<std::string>> GatherBytes(comm::Communicator& communicator,
                                                     absl::string_view mine) {
  const auto ranks = static_cast<size_t>(communicator.world_size());
  const auto own = static_cast<size_t>(communicator.rank());
  std::vector<double> sizes(ranks, 0.0);
  sizes[own] = static_cast<double>(mine.size());
  RM_RETURN_IF_ERROR(communicator.SumInPlace(absl::MakeSpan(sizes)));
  std::vector<std::string> all(ranks);
  for (size_t root = 0; root < ranks; ++root) {
    all[root].resize(static_cast<size_t>(sizes[root]));
    if (root == own) all[root] = std::string(mine);
    if (all[root].empty()) continue;
    RM_RETURN_IF_ERROR(communicator.Broadcast(absl::MakeSpan(all[root].data(), all[root].size()),
                                              static_cast<int>(root)));
  }
  return all;
}

// The size travels as a sum to which only the root adds.
absl::StatusOr<std::string> BroadcastBytes(comm::Communicator& communicator,
                                           absl::string_view mine, int root) {
  const bool is_root = communicator.rank() == root;
  double size = is_root ? static_cast<double>(mine.size()) : 0.0;
  RM_RETURN_IF_ERROR(communicator.SumInPlace(absl::MakeSpan(&size, 1)));
  std::string bytes = is_root ? std::string(mine) : std::string(static_cast<size_t>(size), '\0');
  if (!bytes.empty()) {
    RM_RETURN_IF_ERROR(
        communicator.Broadcast(absl::MakeSpan(bytes.data(), bytes.size()), root));
  }
  return bytes;
}

}  // namespace rm::trainer
