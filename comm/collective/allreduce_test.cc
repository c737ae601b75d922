#include "comm/collective/allreduce.h"

#include <catch2/catch.hpp>

#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "base/status.h"
#include "comm/collective/gang_testing.h"
#include "comm/collective/ring_testing.h"

namespace rm::comm {
namespace {

const AllReduceAlgorithm& Find(const std::string& name) {
  for (const AllReduceAlgorithm& algorithm : AllReduceTable()) {
    if (name == algorithm.name) return algorithm;
  }
  FAIL("no algorithm " << name);
  return AllReduceTable().back();
}

absl::Status RunOnce(const AllReduceAlgorithm& algorithm, RingEdges& ring, uint64_t ordinal,
                     absl::Span<float> bucket) {
  const int64_t bytes = static_cast<int64_t>(bucket.size() * sizeof(float));
  std::vector<char> scratch(algorithm.scratch_bytes(ring.world_size(), bytes));
  const AllReduceCall call = {{CollectiveKind::kAllReduce, ordinal}, bucket,
                              absl::MakeSpan(scratch)};
  int told = 0;
  algorithm.begin(ring, call);
  RM_RETURN_IF_ERROR(algorithm.finish(ring, call, [&told] { ++told; }));
  RM_RETURN_IF_ERROR(ring.Flush());
  if (told > 1) return absl::InternalError("said twice that all is sent");
  return absl::OkStatus();
}

TEST_CASE("every algorithm of the table gives the plain sum for all that it takes") {
  const AllReduceAlgorithm& algorithm =
      GENERATE(from_range(AllReduceTable().begin(), AllReduceTable().end()));
  int tried = 0;
  for (int n = 2; n <= 9; ++n) {
    const std::vector<int64_t> sizes = {0,          1,    n - 1, n,     n + 1,  16 * n - 1, 16 * n,
                                        16 * n + 1, 1000, 4099,  16384, 131072, 131073,     700001};
    std::vector<int64_t> taken;
    for (const int64_t size : sizes) {
      if (algorithm.takes(n, size * 4)) taken.push_back(size);
    }
    tried += static_cast<int>(taken.size());
    INFO(algorithm.name << ", " << n << " ranks");
    CHECK(AllOk(RunRing(n, [&](RingEdges& ring) -> absl::Status {
            for (size_t i = 0; i < taken.size(); ++i) {
              std::vector<float> bucket(static_cast<size_t>(taken[i]));
              FillBucket(ring.rank(), static_cast<int>(i), absl::MakeSpan(bucket));
              RM_RETURN_IF_ERROR(RunOnce(algorithm, ring, i, absl::MakeSpan(bucket)));
              RM_RETURN_IF_ERROR(CheckBucket(n, static_cast<int>(i), bucket));
            }
            return absl::OkStatus();
          })) == absl::OkStatus());
  }
  CHECK(tried > 5);
}

TEST_CASE("two ranks get the same bits from every algorithm that takes them") {
  // With two operands there is one rounding: all algorithms must agree with each other, too.
  std::set<std::string> results;
  for (const AllReduceAlgorithm& algorithm : AllReduceTable()) {
    std::vector<std::string> bits(2);
    CHECK(AllOk(RunRing(2, [&](RingEdges& ring) -> absl::Status {
            std::vector<float> bucket(5000);
            base::RandomStream random(static_cast<uint64_t>(ring.rank()), 17);
            for (float& value : bucket) value = random.NextNormal();
            RM_RETURN_IF_ERROR(RunOnce(algorithm, ring, 0, absl::MakeSpan(bucket)));
            bits[static_cast<size_t>(ring.rank())].assign(
                reinterpret_cast<const char*>(bucket.data()), bucket.size() * sizeof(float));
            return absl::OkStatus();
          })) == absl::OkStatus());
    results.insert(bits.begin(), bits.end());
  }
  CHECK(results.size() == 1);
}

TEST_CASE("a later ring may begin when the earlier one has sent all") {
  const AllReduceAlgorithm& ring_algorithm = Find("ring");
  REQUIRE(ring_algorithm.begins_early);
  CHECK(AllOk(RunRing(3, [&](RingEdges& ring) -> absl::Status {
          std::vector<float> first(500000);
          std::vector<float> second(700000);
          FillBucket(ring.rank(), 1, absl::MakeSpan(first));
          FillBucket(ring.rank(), 2, absl::MakeSpan(second));
          const AllReduceCall one = {{CollectiveKind::kAllReduce, 0}, absl::MakeSpan(first), {}};
          const AllReduceCall two = {{CollectiveKind::kAllReduce, 1}, absl::MakeSpan(second), {}};
          ring_algorithm.begin(ring, one);
          bool begun = false;
          RM_RETURN_IF_ERROR(ring_algorithm.finish(ring, one, [&] {
            begun = true;
            ring_algorithm.begin(ring, two);
          }));
          if (!begun) ring_algorithm.begin(ring, two);
          RM_RETURN_IF_ERROR(ring_algorithm.finish(ring, two, [] {}));
          RM_RETURN_IF_ERROR(ring.Flush());
          RM_RETURN_IF_ERROR(CheckBucket(3, 1, first));
          return CheckBucket(3, 2, second);
        })) == absl::OkStatus());
}

TEST_CASE("the algorithm follows from the size of gang and bucket") {
  struct Row {
    int world_size;
    int64_t bytes;
    std::string name;
  };
  const std::vector<Row> table = {
      {2, 0, "exchange"},        {2, 512 << 10, "exchange"}, {2, (512 << 10) + 4, "ring"},
      {3, 0, "gather"},          {3, 64 << 10, "gather"},    {3, (64 << 10) + 4, "ring"},
      {9, 1 << 30, "ring"},
  };
  for (const Row& row : table) {
    INFO(row.world_size << " ranks, " << row.bytes << " bytes");
    CHECK(AllReduceFor(row.world_size, row.bytes).name == row.name);
  }
  CHECK(AllReduceTable().back().takes(1000, int64_t{1} << 40));
}

}  // namespace
}  // namespace rm::comm
