#include "comm/transport/fence.h"

#include "absl/strings/str_cat.h"
#include "base/random.h"

namespace rm::comm {

absl::Status Fence::MayEnter(const TransportMembership& membership) const {
  const bool past =
      joined_ && membership.job == job_ && membership.generation < generation_;
  if (!past) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat("generation ", membership.generation, " of job ", job_, " is over: rank ",
                   rank_, " is in generation ", generation_));
}

void Fence::Enter(const TransportMembership& membership) {
  joined_ = true;
  job_ = membership.job;
  job_hash_ = base::StableHash(membership.job);
  generation_ = membership.generation;
  rank_ = membership.rank;
}

absl::Status Fence::LeftFor(int64_t next) const {
  return absl::AbortedError(
      absl::StrCat("rank ", rank_, " left generation ", generation_, " for ", next));
}

bool Fence::IsPresent(const FrameRoute& route) const {
  return joined_ && route.job == job_hash_ && route.generation == generation_;
}

bool Fence::IsPast(const FrameRoute& route) const {
  return joined_ && (route.job != job_hash_ || route.generation < generation_);
}

absl::Status Fence::IsOver(const FrameRoute& route, absl::string_view job,
                           absl::string_view address) const {
  return absl::FailedPreconditionError(
      absl::StrCat("generation ", route.generation, " of job ", job, " is over: rank ", rank_,
                   " at ", address, " is in generation ", generation_, " of job ", job_));
}

}  // namespace rm::comm
