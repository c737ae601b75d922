// Why an address cannot be listened on: gRPC does not say.
#ifndef RM_RUNTIME_COORDINATOR_BIND_ERROR_H_
#define RM_RUNTIME_COORDINATOR_BIND_ERROR_H_

#include "absl/status/status.h"
#include "base/host_port.h"

namespace rm::coordinator {

// Tries to bind a socket and returns what came of it: "Address already in use", "Name or service
// not known" … OK when it can be bound. A port in use is said with the process that has it, where
// that can be found out. Leaves nothing behind.
[[nodiscard]] absl::Status TryBind(const base::HostPort& address);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_BIND_ERROR_H_
