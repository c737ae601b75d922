#include "comm/collective/ring_gather.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "base/status.h"
#include "comm/collective/gang_testing.h"
#include "comm/collective/ring_testing.h"

namespace rm::comm {
namespace {

std::string BytesOfRank(int rank, size_t size) {
  return std::string(size, static_cast<char>('a' + rank));
}

TEST_CASE("every rank gets every rank's bytes, in rank order") {
  for (int n = 2; n <= 9; ++n) {
    for (const size_t size : {size_t{0}, size_t{1}, size_t{7}, size_t{100000}}) {
      INFO(n << " ranks, " << size << " bytes");
      std::string expected;
      for (int rank = 0; rank < n; ++rank) expected += BytesOfRank(rank, size);
      CHECK(AllOk(RunRing(n, [&](RingEdges& ring) -> absl::Status {
              std::string slots(expected.size(), '?');
              slots.replace(size * static_cast<size_t>(ring.rank()), size,
                            BytesOfRank(ring.rank(), size));
              RM_RETURN_IF_ERROR(RingGather(ring, {CollectiveKind::kBarrier, 1},
                                            {&slots[0], slots.size()}, size));
              RM_RETURN_IF_ERROR(ring.Flush());
              return slots == expected ? absl::OkStatus() : absl::InternalError(slots);
            })) == absl::OkStatus());
    }
  }
}

TEST_CASE("when a rank says nothing, every other one names it") {
  for (int silent = 0; silent < 4; ++silent) {
    Meeting over(4);
    const auto outcomes = RunRing(4, [&](RingEdges& ring) -> absl::Status {
      int missing = -1;
      absl::Status status;
      if (ring.rank() != silent) {
        status = RingGather(ring, {CollectiveKind::kJoin, 0}, {}, 0,
                            absl::Now() + absl::Milliseconds(100), &missing);
      }
      over.Wait();
      if (ring.rank() == silent) return absl::OkStatus();
      if (!absl::IsDeadlineExceeded(status)) return absl::InternalError("no deadline");
      return missing == silent ? absl::OkStatus() : absl::InternalError(absl::StrCat(missing));
    });
    CHECK(AllOk(outcomes) == absl::OkStatus());
  }
}

}  // namespace
}  // namespace rm::comm
