#include "comm/collective/tree_allreduce.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/random.h"
#include "base/status.h"
#include "comm/collective/gang_testing.h"
#include "comm/collective/shard_tree.h"
#include "comm/collective/solo_communicator.h"

namespace rm::comm {
namespace {

using Floats = std::vector<float>;

const std::vector<int64_t> kSizes = {0, 1, 17, 1000, 300'001};
constexpr int kShardsMost = 16;

// Numbers of very different sizes for every shard, so that another order of adding shows.
std::vector<Floats> DrawGradients() {
  std::vector<Floats> gradients;
  for (uint64_t shard = 0; shard < kShardsMost; ++shard) {
    base::RandomStream random(17, shard);
    Floats& values = gradients.emplace_back(static_cast<size_t>(kSizes.back()));
    for (float& value : values) {
      value = (random.NextUniform() - 0.5F) *
              std::ldexp(1.0F, static_cast<int>(random.NextBelow(40)) - 20);
    }
  }
  return gradients;
}

// The gradient of a shard, of so many elements.
absl::Span<const float> GradientOf(int shard, int64_t elements) {
  static const auto* const kGradients = new std::vector<Floats>(DrawGradients());
  return absl::MakeSpan((*kGradients)[static_cast<size_t>(shard)])
      .subspan(0, static_cast<size_t>(elements));
}

// The sum along the tree, by one who has all shards.
Floats Root(int shards, int64_t elements) {
  Floats sum(static_cast<size_t>(elements));
  ShardAccumulator accumulator({0, shards}, {absl::MakeSpan(sum)});
  for (int shard = 0; shard < shards; ++shard) {
    const absl::Span<const float> gradient = GradientOf(shard, elements);
    std::copy(gradient.begin(), gradient.end(), accumulator.work().begin());
    accumulator.Commit();
  }
  return sum;
}

absl::Status CompareBits(const Floats& expected, absl::Span<const float> got) {
  const size_t bytes = expected.size() * sizeof(float);
  if (got.size() == expected.size() &&
      (bytes == 0 || std::memcmp(expected.data(), got.data(), bytes) == 0)) {
    return absl::OkStatus();
  }
  return absl::InternalError(absl::StrCat("other bits in a bucket of ", expected.size()));
}

// Two steps of a rank: its shards' gradients, added up and reduced, are the root.
absl::Status TwoSteps(Communicator& communicator, int shards, const std::vector<Floats>& roots) {
  RM_ASSIGN_OR_RETURN(const auto buckets, communicator.AllocateShardBuckets(kSizes, shards));
  const ShardRun run = ShardsOf(shards, communicator.world_size(), communicator.rank());
  for (int step = 0; step < 2; ++step) {
    for (size_t b = 0; b < buckets.size(); ++b) {
      ShardAccumulator accumulator(run, buckets[b]);
      for (int shard = run.first; shard < run.end(); ++shard) {
        const absl::Span<const float> gradient = GradientOf(shard, kSizes[b]);
        std::copy(gradient.begin(), gradient.end(), accumulator.work().begin());
        accumulator.Commit();
      }
      communicator.AllReduce(static_cast<int>(b));
    }
    RM_RETURN_IF_ERROR(communicator.WaitAll());
    for (size_t b = 0; b < buckets.size(); ++b) {
      RM_RETURN_IF_ERROR(CompareBits(roots[b], buckets[b].back()));
    }
  }
  return communicator.Barrier();
}

TEST_CASE("a batch's sum has the same bits for every number of ranks") {
  const std::string transport = GENERATE("loopback", "shm");
  for (const int shards : {1, 2, 8, 16}) {
    std::vector<Floats> roots;
    for (const int64_t size : kSizes) roots.push_back(Root(shards, size));
    CHECK(TwoSteps(*MakeSoloCommunicator(), shards, roots) == absl::OkStatus());
    for (const int ranks : {2, 3, 5, 8}) {
      if (ranks > shards) continue;
      INFO(transport << ", " << shards << " shards, " << ranks << " ranks");
      TestGang gang(transport, ranks);
      CHECK(AllOk(gang.Run(1, [&](Communicator& communicator) {
              return TwoSteps(communicator, shards, roots);
            })) == absl::OkStatus());
    }
  }
}

TEST_CASE("the tree travels over gRPC as well") {
  std::vector<Floats> roots;
  for (const int64_t size : kSizes) roots.push_back(Root(8, size));
  TestGang gang("grpc", 3);
  CHECK(AllOk(gang.Run(1, [&](Communicator& communicator) {
          return TwoSteps(communicator, 8, roots);
        })) == absl::OkStatus());
}

TEST_CASE("shards must be a power of two, and as many as there are ranks") {
  const auto solo = MakeSoloCommunicator();
  for (const int shards : {0, -8, 3, 12, 2 * kVirtualShardsMax}) {
    CHECK(absl::IsInvalidArgument(solo->AllocateShardBuckets({}, shards).status()));
  }
  CHECK(CheckShards(4, 5).message() ==
        "4 virtual shards: it must be a power of two, from the number of ranks (5) to 65536");
  CHECK(CheckShards(8, 5).ok());
}

TEST_CASE("scratch memory grows with the subtrees on the way, not with the shards") {
  CHECK(TreeScratch(8, 1, 1000) == 0);
  CHECK(TreeScratch(8, 2, 1600) == 2 * 800 * sizeof(float));
  CHECK(TreeScratch(1 << 10, 8, 1600) <= 2 * 208 * sizeof(float) * 20);
}

}  // namespace
}  // namespace rm::comm
