#include "base/host_port.h"

#include <catch2/catch.hpp>

namespace rm::base {
namespace {

TEST_CASE("an address is a host and a port, and is written as it was read") {
  struct Case {
    const char* text;
    const char* host;
    int port;
  };
  const Case cases[] = {
      {"127.0.0.1:7070", "127.0.0.1", 7070},
      {"localhost:0", "localhost", 0},
      {"node-3.example:65535", "node-3.example", 65535},
      {"[::1]:80", "::1", 80},
      {"[fe80::1]:1", "fe80::1", 1},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const auto address = ParseHostPort(c.text);
    REQUIRE(address.ok());
    CHECK(address->host == c.host);
    CHECK(address->port == c.port);
    CHECK(address->ToString() == c.text);
  }
}

TEST_CASE("what is no address is refused, and quoted") {
  for (const char* text : {"", ":", ":7070", "7070", "host", "host:", "host:x", "host:-1",
                           "host:+1", "host:65536", "host:99999999999", "::1:80", "[::1]",
                           "[::1:80", "[x]:80", "[]:80", "a b:80", "http://a:80", "host:7 "}) {
    CAPTURE(text);
    const auto address = ParseHostPort(text);
    CHECK(address.status().code() == absl::StatusCode::kInvalidArgument);
    CHECK(address.status().message() ==
          std::string("'") + text + "' is no address: HOST:PORT is wanted");
  }
}

TEST_CASE("loopback is what never leaves the machine") {
  for (const char* host : {"127.0.0.1", "127.8.9.1", "localhost", "LocalHost", "::1"}) {
    CAPTURE(host);
    CHECK(IsLoopback(host));
  }
  for (const char* host : {"0.0.0.0", "::", "10.0.0.1", "128.0.0.1", "node-3", "localhost.evil.org",
                           "127.0.0.1.evil.org", ""}) {
    CAPTURE(host);
    CHECK_FALSE(IsLoopback(host));
  }
}

TEST_CASE("the addresses that stand for all are known") {
  CHECK(IsAnyAddress("0.0.0.0"));
  CHECK(IsAnyAddress("::"));
  CHECK_FALSE(IsAnyAddress("127.0.0.1"));
  CHECK_FALSE(IsAnyAddress("::1"));
  CHECK_FALSE(IsAnyAddress("any"));
}

}  // namespace
}  // namespace rm::base
