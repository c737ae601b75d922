// Who listens on a port of this machine: for the error message of who cannot.
#ifndef RM_RUNTIME_COORDINATOR_PORT_HOLDER_H_
#define RM_RUNTIME_COORDINATOR_PORT_HOLDER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace rm::coordinator {

// "process 1234 (ringmaster-coord)", found through /proc; "" when it is not known: another user's
// process, one in another namespace, or no /proc. Takes milliseconds. Thread-safe.
[[nodiscard]] std::string PortHolder(int port);

// The socket inode of the listener on `port` in a table of the form of /proc/net/tcp; "" for none.
// Pure.
[[nodiscard]] std::string ListenerInode(absl::string_view table, int port);

}  // namespace rm::coordinator

#endif  // RM_RUNTIME_COORDINATOR_PORT_HOLDER_H_
