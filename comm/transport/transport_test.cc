#include "comm/transport/transport.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace rm::comm {
namespace {

TransportMembership Valid() {
  TransportMembership membership;
  membership.job = "job";
  membership.rank = 1;
  membership.addresses = {"a:1", "b:2", "c:3"};
  membership.send_to = {2};
  membership.receive_from = {0};
  return membership;
}

TEST_CASE("a sound membership is accepted") {
  CHECK(ValidateMembership(Valid()).ok());
  TransportMembership alone;
  alone.job = "job";
  alone.addresses = {"a:1"};
  CHECK(ValidateMembership(alone).ok());
}

TEST_CASE("a membership that makes no sense is refused with what is wrong") {
  struct Case {
    const char* says;
    void (*spoil)(TransportMembership&);
  };
  const std::vector<Case> cases = {
      {"1 to 4096 bytes", [](TransportMembership& m) { m.job.clear(); }},
      {"1 to 4096 bytes", [](TransportMembership& m) { m.job.assign(5000, 'j'); }},
      {"negative generation", [](TransportMembership& m) { m.generation = -1; }},
      {"rank 3 in a gang of 3", [](TransportMembership& m) { m.rank = 3; }},
      {"rank -1 in a gang of 3", [](TransportMembership& m) { m.rank = -1; }},
      {"rank 1 in a gang of 0", [](TransportMembership& m) { m.addresses.clear(); }},
      {"more than 65536 ranks", [](TransportMembership& m) { m.addresses.resize(65537, "a:1"); }},
      {"edge with rank 3", [](TransportMembership& m) { m.send_to = {3}; }},
      {"edge with rank 1", [](TransportMembership& m) { m.receive_from = {1}; }},
  };
  for (const Case& c : cases) {
    TransportMembership membership = Valid();
    c.spoil(membership);
    const absl::Status status = ValidateMembership(membership);
    CHECK(absl::IsInvalidArgument(status));
    CHECK_THAT(std::string(status.message()), Catch::Contains(c.says));
  }
}

}  // namespace
}  // namespace rm::comm
