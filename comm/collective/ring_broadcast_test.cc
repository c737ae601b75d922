#include "comm/collective/ring_broadcast.h"

#include <catch2/catch.hpp>

#include <string>

#include "base/status.h"
#include "comm/collective/gang_testing.h"
#include "comm/collective/ring_testing.h"

namespace rm::comm {
namespace {

TEST_CASE("root's bytes come to every rank, from every root, in one segment or many") {
  for (int n = 2; n <= 9; ++n) {
    for (int root = 0; root < n; ++root) {
      for (const size_t size : {size_t{0}, size_t{1}, size_t{1} << 20, (size_t{3} << 20) + 17}) {
        INFO(n << " ranks, root " << root << ", " << size << " bytes");
        const std::string expected(size, static_cast<char>('A' + root));
        CHECK(AllOk(RunRing(n, [&](RingEdges& ring) -> absl::Status {
                std::string bytes = ring.rank() == root ? expected : std::string(size, '?');
                RM_RETURN_IF_ERROR(RingBroadcast(ring, {CollectiveKind::kBroadcast, 1},
                                                 {&bytes[0], size}, root));
                RM_RETURN_IF_ERROR(ring.Flush());
                return bytes == expected ? absl::OkStatus() : absl::InternalError("wrong bytes");
              })) == absl::OkStatus());
      }
    }
  }
}

}  // namespace
}  // namespace rm::comm
