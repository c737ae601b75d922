// Keeps the generations of a gang apart at one endpoint: who calls from a past one is refused, and
// learns by that that it was presumed dead; who calls from a future one has to wait until this rank
// has come there itself, because ranks do not start at the same moment.
//
// Thread-compatible: an endpoint guards it with its own mutex.
#ifndef RM_COMM_TRANSPORT_FENCE_H_
#define RM_COMM_TRANSPORT_FENCE_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "comm/transport/frame.h"
#include "comm/transport/transport.h"

namespace rm::comm {

class Fence {
 public:
  // FailedPrecondition when the endpoint has been in a later generation of the same job. It may go
  // on to another job at any generation: an address is used again.
  [[nodiscard]] absl::Status MayEnter(const TransportMembership& membership) const;

  // From now on the membership is the present one.
  void Enter(const TransportMembership& membership);

  // Aborted: what a transport of the present generation fails with as the endpoint goes on to `next`.
  [[nodiscard]] absl::Status LeftFor(int64_t next) const;

  // Whether a caller's route is of the present membership, or of one that is over. Before the first
  // Enter every route is of the future; another job's is of the past after it.
  [[nodiscard]] bool IsPresent(const FrameRoute& route) const;
  [[nodiscard]] bool IsPast(const FrameRoute& route) const;

  // FailedPrecondition: what a caller of the past is told. `job`: the caller's; `address`: ours.
  [[nodiscard]] absl::Status IsOver(const FrameRoute& route, absl::string_view job,
                                    absl::string_view address) const;

 private:
  bool joined_ = false;  // the members below are of a membership
  std::string job_;
  uint64_t job_hash_ = 0;  // as routes carry it
  int64_t generation_ = 0;
  int rank_ = 0;
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_FENCE_H_
