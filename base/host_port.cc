#include "base/host_port.h"

#include <arpa/inet.h>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace rm::base {
namespace {

constexpr int kPortMax = 65535;

absl::Status NoAddress(absl::string_view text) {
  return absl::InvalidArgumentError(
      absl::StrCat("'", text, "' is no address: HOST:PORT is wanted"));
}

bool ParseV4(absl::string_view host, in_addr* address) {
  return inet_pton(AF_INET, std::string(host).c_str(), address) == 1;
}

bool ParseV6(absl::string_view host, in6_addr* address) {
  return inet_pton(AF_INET6, std::string(host).c_str(), address) == 1;
}

}  // namespace

std::string HostPort::ToString() const {
  if (absl::StrContains(host, ':')) return absl::StrCat("[", host, "]:", port);
  return absl::StrCat(host, ":", port);
}

absl::StatusOr<HostPort> ParseHostPort(absl::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == absl::string_view::npos) return NoAddress(text);
  HostPort address;
  absl::string_view host = text.substr(0, colon);
  const absl::string_view port = text.substr(colon + 1);
  const bool digits_only = port.find_first_not_of("0123456789") == absl::string_view::npos;
  if (!digits_only || !absl::SimpleAtoi(port, &address.port) || address.port > kPortMax) {
    return NoAddress(text);
  }
  if (absl::StartsWith(host, "[")) {
    in6_addr parsed;
    if (!absl::EndsWith(host, "]")) return NoAddress(text);
    host = host.substr(1, host.size() - 2);
    if (!ParseV6(host, &parsed)) return NoAddress(text);
  } else if (host.empty() || host.find_first_of(":[]/ \t") != absl::string_view::npos) {
    return NoAddress(text);
  }
  address.host = std::string(host);
  return address;
}

bool IsLoopback(absl::string_view host) {
  in_addr v4;
  in6_addr v6;
  if (ParseV4(host, &v4)) return (ntohl(v4.s_addr) >> 24) == 127;
  if (ParseV6(host, &v6)) return IN6_IS_ADDR_LOOPBACK(&v6);
  return absl::EqualsIgnoreCase(host, "localhost");
}

bool IsAnyAddress(absl::string_view host) {
  in_addr v4;
  in6_addr v6;
  if (ParseV4(host, &v4)) return v4.s_addr == INADDR_ANY;
  return ParseV6(host, &v6) && IN6_IS_ADDR_UNSPECIFIED(&v6);
}

}  // namespace rm::base
