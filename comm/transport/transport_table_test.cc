#include "comm/transport/transport_table.h"

#include <catch2/catch.hpp>

#include <set>
#include <string>

namespace rm::comm {
namespace {

TEST_CASE("every transport of the table opens, each time at an address of its own") {
  for (const TransportEntry& entry : TransportTable()) {
    INFO(entry.name);
    const auto first = OpenTransport(entry.name, {"127.0.0.1", ""});
    const auto second = OpenTransport(entry.name, {"127.0.0.1", ""});
    REQUIRE(first.ok());
    REQUIRE(second.ok());
    CHECK((*first)->address() != (*second)->address());
  }
}

TEST_CASE("names are unique") {
  std::set<std::string> names;
  for (const TransportEntry& entry : TransportTable()) CHECK(names.insert(entry.name).second);
}

TEST_CASE("an unknown transport is an error that lists those there are") {
  const absl::Status status = OpenTransport("carrier-pigeon", {}).status();
  CHECK(absl::IsInvalidArgument(status));
  CHECK_THAT(std::string(status.message()), Catch::Contains("'carrier-pigeon'"));
  CHECK_THAT(std::string(status.message()), Catch::Contains("auto, grpc, loopback, shm, tcp"));
}

TEST_CASE("a host that is not this machine's cannot be listened on") {
  const absl::Status status = OpenTransport("grpc", {"192.0.2.1", ""}).status();
  CHECK(absl::IsUnavailable(status));
  CHECK_THAT(std::string(status.message()), Catch::Contains("192.0.2.1"));
}

TEST_CASE("what is advertised may differ from what is listened on") {
  const auto endpoint = OpenTransport("grpc", {"127.0.0.1", "worker-7.example"});
  REQUIRE(endpoint.ok());
  CHECK_THAT((*endpoint)->address(), Catch::StartsWith("worker-7.example:"));
}

}  // namespace
}  // namespace rm::comm
