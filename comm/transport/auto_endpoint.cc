#include "comm/transport/auto_endpoint.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/log.h"
#include "base/status.h"
#include "comm/transport/grpc_endpoint.h"
#include "comm/transport/mixed_transport.h"
#include "comm/transport/shm_endpoint.h"
#include "comm/transport/shm_link.h"
#include "comm/transport/shm_transport.h"

namespace rm::comm {
namespace {

// A peer that lives answers within microseconds; this is for a machine that is overloaded.
constexpr absl::Duration kPatience = absl::Seconds(1);

constexpr char kSeparator = '+';

// The parts of an address: what gRPC dials, and what shared memory does (empty: nothing).
struct Address {
  std::string network;
  std::string memory;
};

Address Split(const std::string& address) {
  const size_t at = address.find(kSeparator);
  if (at == std::string::npos) return {address, ""};
  return {address.substr(0, at), address.substr(at + 1)};
}

// A membership without edges, with the addresses of one kind.
TransportMembership WithoutEdges(const TransportMembership& membership) {
  TransportMembership bare = membership;
  bare.send_to.clear();
  bare.receive_from.clear();
  bare.share_with.clear();
  return bare;
}

class AutoEndpoint final : public TransportEndpoint {
 public:
  // `memory` may be null.
  AutoEndpoint(std::unique_ptr<TransportEndpoint> network,
               std::unique_ptr<TransportEndpoint> memory)
      : network_(std::move(network)),
        memory_(std::move(memory)),
        address_(memory_ == nullptr
                     ? network_->address()
                     : absl::StrCat(network_->address(), std::string(1, kSeparator),
                                    memory_->address())) {}

  [[nodiscard]] const std::string& address() const override { return address_; }
  [[nodiscard]] absl::StatusOr<std::unique_ptr<Transport>> Connect(
      const TransportMembership& membership) override;

 private:
  [[nodiscard]] std::vector<bool> WhoSharesMemory(const TransportMembership& membership) const;

  const std::unique_ptr<TransportEndpoint> network_;
  const std::unique_ptr<TransportEndpoint> memory_;
  const std::string address_;
};

// By rank; false for those that this one has nothing to do with.
std::vector<bool> AutoEndpoint::WhoSharesMemory(const TransportMembership& membership) const {
  std::vector<bool> shares(membership.addresses.size(), false);
  std::vector<bool> asked(shares.size(), memory_ == nullptr);
  for (const std::vector<int>* peers : {&membership.send_to, &membership.receive_from, &membership.share_with}) {
    for (const int peer : *peers) {
      const auto i = static_cast<size_t>(peer);
      if (asked[i]) continue;
      asked[i] = true;
      const auto name = ShmSocketName(Split(membership.addresses[i]).memory);
      shares[i] = name.ok() && MayShareMemory(*name, kPatience);
    }
  }
  return shares;
}

// Both endpoints come to the new generation, whatever edges there are, so that both refuse ranks of
// older ones. A kind without edges is done with at once.
absl::StatusOr<std::unique_ptr<Transport>> AutoEndpoint::Connect(
    const TransportMembership& membership) {
  RM_RETURN_IF_ERROR(ValidateMembership(membership));
  const std::vector<bool> shares = WhoSharesMemory(membership);
  TransportMembership network = WithoutEdges(membership);
  TransportMembership memory = network;
  for (size_t i = 0; i < shares.size(); ++i) {
    const Address parts = Split(membership.addresses[i]);
    network.addresses[i] = parts.network;
    memory.addresses[i] = parts.memory;
  }
  for (const int peer : membership.send_to) {
    (shares[static_cast<size_t>(peer)] ? memory : network).send_to.push_back(peer);
  }
  for (const int peer : membership.receive_from) {
    (shares[static_cast<size_t>(peer)] ? memory : network).receive_from.push_back(peer);
  }
  for (const int peer : membership.share_with) {
    if (shares[static_cast<size_t>(peer)]) memory.share_with.push_back(peer);
  }
  const auto has_edges = [](const TransportMembership& m) {
    return !m.send_to.empty() || !m.receive_from.empty() || !m.share_with.empty();
  };
  auto mixed = std::make_unique<MixedTransport>(membership, shares);
  if (has_edges(network) && has_edges(memory)) {
    network.on_failure = [owner = mixed.get()] { owner->OnFailureOfPart(); };
    memory.on_failure = network.on_failure;
  }
  RM_ASSIGN_OR_RETURN(auto by_network, network_->Connect(network));
  if (memory_ == nullptr) return by_network;
  RM_ASSIGN_OR_RETURN(auto by_memory, memory_->Connect(memory));
  if (!has_edges(memory)) return by_network;
  if (!has_edges(network)) return by_memory;
  mixed->Start(std::move(by_network), std::move(by_memory));
  return std::unique_ptr<Transport>(std::move(mixed));
}

}  // namespace

absl::StatusOr<std::unique_ptr<TransportEndpoint>> OpenAutoEndpoint(
    const TransportOptions& options) {
  RM_ASSIGN_OR_RETURN(std::unique_ptr<TransportEndpoint> network, OpenGrpcEndpoint(options));
  absl::StatusOr<std::unique_ptr<TransportEndpoint>> memory = OpenShmEndpoint(options);
  if (!memory.ok()) {
    base::LogWarning("no shared memory between ranks: ", memory.status().message());
    memory = std::unique_ptr<TransportEndpoint>();
  }
  return std::make_unique<AutoEndpoint>(std::move(network), *std::move(memory));
}

}  // namespace rm::comm
