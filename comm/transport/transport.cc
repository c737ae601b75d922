#include "comm/transport/transport.h"

#include "absl/strings/str_cat.h"

namespace rm::comm {

absl::Status ValidateMembership(const TransportMembership& membership) {
  const int world_size = static_cast<int>(membership.addresses.size());
  if (membership.job.empty() || membership.job.size() > kFrameTextBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("a job's id has 1 to ", kFrameTextBytesMax, " bytes"));
  }
  if (membership.generation < 0) return absl::InvalidArgumentError("negative generation");
  if (world_size > 0x10000) return absl::InvalidArgumentError("more than 65536 ranks");
  if (membership.rank < 0 || membership.rank >= world_size) {
    return absl::InvalidArgumentError(absl::StrCat("rank ", membership.rank, " in a gang of ",
                                                   world_size, " (ranks count from 0)"));
  }
  for (const std::vector<int>* peers : {&membership.send_to, &membership.receive_from, &membership.share_with}) {
    for (const int peer : *peers) {
      if (peer < 0 || peer >= world_size || peer == membership.rank) {
        return absl::InvalidArgumentError(
            absl::StrCat("rank ", membership.rank, " cannot have an edge with rank ", peer));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace rm::comm
