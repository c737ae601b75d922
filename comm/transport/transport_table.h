// All transports this build has, by name. To add one: its file, and one line in the .cc.
#ifndef RM_COMM_TRANSPORT_TRANSPORT_TABLE_H_
#define RM_COMM_TRANSPORT_TRANSPORT_TABLE_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "comm/transport/transport.h"

namespace rm::comm {

struct TransportEntry {
  const char* name;
  absl::StatusOr<std::unique_ptr<TransportEndpoint>> (*open)(const TransportOptions& options);
};

[[nodiscard]] absl::Span<const TransportEntry> TransportTable();

// Opens an endpoint of the transport `name`. InvalidArgument, listing the names, when there is
// none.
[[nodiscard]] absl::StatusOr<std::unique_ptr<TransportEndpoint>> OpenTransport(
    absl::string_view name, const TransportOptions& options);

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_TRANSPORT_TABLE_H_
