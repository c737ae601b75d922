// Addresses as people write them on command lines: "127.0.0.1:7070", "[::1]:7070", "node-3:7070".
#ifndef RM_BASE_HOST_PORT_H_
#define RM_BASE_HOST_PORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace rm::base {

struct HostPort {
  std::string host;  // without brackets
  int port = 0;      // 0–65535; 0 asks for a free one where something listens

  // "host:port", an IPv6 host in brackets.
  [[nodiscard]] std::string ToString() const;
};

// InvalidArgument: "'x' is no address: HOST:PORT is wanted". Nothing is looked up. Pure.
[[nodiscard]] absl::StatusOr<HostPort> ParseHostPort(absl::string_view text);

// True for "localhost", 127.0.0.0/8 and ::1. Other names count as beyond loopback, whatever they
// resolve to. Pure.
[[nodiscard]] bool IsLoopback(absl::string_view host);

// True for the addresses that stand for all of a machine's: 0.0.0.0 and ::. Pure.
[[nodiscard]] bool IsAnyAddress(absl::string_view host);

}  // namespace rm::base

#endif  // RM_BASE_HOST_PORT_H_
