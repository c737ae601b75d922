#include "comm/transport/transport_table.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "comm/transport/auto_endpoint.h"
#include "comm/transport/grpc_endpoint.h"
#include "comm/transport/loopback_transport.h"
#include "comm/transport/shm_endpoint.h"
#include "comm/transport/tcp_endpoint.h"

namespace rm::comm {
namespace {

constexpr TransportEntry kTransports[] = {
    {"auto", &OpenAutoEndpoint},
    {"grpc", &OpenGrpcEndpoint},
    {"loopback", &OpenLoopbackEndpoint},
    {"shm", &OpenShmEndpoint},
    {"tcp", &OpenTcpEndpoint},
};

}  // namespace

absl::Span<const TransportEntry> TransportTable() { return kTransports; }

absl::StatusOr<std::unique_ptr<TransportEndpoint>> OpenTransport(absl::string_view name,
                                                                 const TransportOptions& options) {
  for (const TransportEntry& entry : TransportTable()) {
    if (name == entry.name) return entry.open(options);
  }
  const auto append_name = [](std::string* out, const TransportEntry& entry) {
    out->append(entry.name);
  };
  return absl::InvalidArgumentError(
      absl::StrCat("unknown transport '", name, "'; this build has ",
                   absl::StrJoin(TransportTable(), ", ", append_name)));
}

}  // namespace rm::comm
