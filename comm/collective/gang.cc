#include "comm/collective/gang.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "comm/collective/gang_communicator.h"
#include "comm/collective/ring_edges.h"
#include "comm/collective/ring_gather.h"
#include "comm/collective/solo_communicator.h"
#include "comm/transport/transport_table.h"

namespace rm::comm {
namespace {

// Only ring neighbours need an edge: n ranks have n edges, not n².
TransportMembership RingMembership(const Membership& membership) {
  const int world_size = static_cast<int>(membership.peers.size());
  TransportMembership ring;
  ring.job = membership.job;
  ring.generation = membership.generation;
  ring.rank = membership.rank;
  ring.addresses = membership.peers;
  if (world_size > 1) {
    ring.send_to = {(membership.rank + 1) % world_size};
    ring.receive_from = {(membership.rank + world_size - 1) % world_size};
  }
  for (int peer = 0; peer < world_size; ++peer) {
    if (peer != membership.rank) ring.share_with.push_back(peer);
  }
  return ring;
}

// What Join says of the first cause: a peer's own reasons to abort are all one here.
absl::Status JoinFailure(const absl::Status& cause) {
  switch (cause.code()) {
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kFailedPrecondition:
      return cause;
    default:
      return absl::AbortedError(cause.message());
  }
}

// Every rank has come and every edge stands, or every rank says which one is missing: a rank's
// token passes around the ring only as far as there are ranks.
absl::Status MeetPeers(const Membership& membership, Transport& transport) {
  RingEdges ring(transport);
  transport.SetActivity({CollectiveName(CollectiveKind::kJoin), 0});
  const absl::Time deadline = absl::Now() + membership.join_timeout;
  int missing = ring.next();
  absl::Status met =
      RingGather(ring, {CollectiveKind::kJoin, 0}, {}, 0, deadline, &missing);
  if (met.ok()) met = ring.Flush(deadline);
  if (absl::IsDeadlineExceeded(met) && transport.status().ok()) {
    transport.Abort(absl::DeadlineExceededError(absl::StrCat(
        "rank ", missing, " (", membership.peers[static_cast<size_t>(missing)],
        ") did not join generation ", membership.generation, " of job ", membership.job,
        " within ", absl::FormatDuration(membership.join_timeout))));
  }
  return met.ok() ? met : JoinFailure(transport.status());
}

// Whether all ranks read each other's memory: only if every one of them can read all others', which
// no rank knows by itself.
absl::StatusOr<bool> AgreeToReadDirectly(const Membership& membership, Transport& transport) {
  RingEdges ring(transport);
  SharedWindows* const windows = transport.windows();
  const size_t world_size = membership.peers.size();
  std::vector<char> answers(world_size, 0);
  answers[static_cast<size_t>(membership.rank)] =
      windows != nullptr && windows->ranks().size() == world_size ? 1 : 0;
  const absl::Time deadline = absl::Now() + membership.join_timeout;
  absl::Status gathered =
      RingGather(ring, {CollectiveKind::kJoin, 1}, absl::MakeSpan(answers), 1, deadline);
  if (gathered.ok()) gathered = ring.Flush(deadline);
  if (!gathered.ok()) {
    transport.Abort(gathered);
    return JoinFailure(transport.status());
  }
  return std::find(answers.begin(), answers.end(), 0) == answers.end();
}

class GangEndpoint final : public Endpoint {
 public:
  explicit GangEndpoint(std::unique_ptr<TransportEndpoint> endpoint)
      : endpoint_(std::move(endpoint)) {}

  [[nodiscard]] const std::string& address() const override { return endpoint_->address(); }
  [[nodiscard]] const std::string& transport() const override { return carriers_; }

  [[nodiscard]] absl::StatusOr<std::unique_ptr<Communicator>> Join(
      const Membership& membership) override {
    RM_ASSIGN_OR_RETURN(std::unique_ptr<Transport> transport,
                        endpoint_->Connect(RingMembership(membership)));
    carriers_ = transport->world_size() == 1 ? "" : transport->carriers();
    if (transport->world_size() == 1) return MakeSoloCommunicator();
    RM_RETURN_IF_ERROR(MeetPeers(membership, *transport));
    RM_ASSIGN_OR_RETURN(const bool direct, AgreeToReadDirectly(membership, *transport));
    return MakeGangCommunicator(std::move(transport), direct, membership.counters);
  }

 private:
  std::unique_ptr<TransportEndpoint> endpoint_;
  std::string carriers_;  // of the latest Join
};

}  // namespace

absl::StatusOr<std::unique_ptr<Endpoint>> OpenEndpoint(const EndpointOptions& options) {
  RM_ASSIGN_OR_RETURN(
      std::unique_ptr<TransportEndpoint> endpoint,
      OpenTransport(options.transport, {options.listen_host, options.advertise_host}));
  return std::make_unique<GangEndpoint>(std::move(endpoint));
}

}  // namespace rm::comm
