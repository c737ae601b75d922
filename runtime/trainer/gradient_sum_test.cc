#include "runtime/trainer/gradient_sum.h"

#include <catch2/catch.hpp>

#include "kernels/kernels.h"

namespace rm::trainer {
namespace {

// Two buckets and as much memory for their sums, aligned.
struct Memory {
  alignas(64) float buckets[2][32] = {};
  alignas(64) float sums[2][32] = {};

  GradientSum Make(int parts) {
    auto sum = GradientSum::Create({absl::MakeSpan(buckets[0]), absl::MakeSpan(buckets[1])},
                                   {absl::MakeSpan(sums[0]), absl::MakeSpan(sums[1])}, parts,
                                   kernels::CpuKernels(), {});
    REQUIRE(sum.ok());
    return *std::move(sum);
  }

  // What a backward pass writes: bucket b of part p is all p + 10·b.
  void Backward(int part) {
    for (int b = 0; b < 2; ++b) {
      for (float& value : buckets[b]) value = static_cast<float>(part + 10 * b);
    }
  }
};

TEST_CASE("after the last part a bucket holds the sum of all, step after step") {
  for (const int parts : {2, 3, 5}) {
    Memory memory;
    GradientSum sum = memory.Make(parts);
    CHECK(sum.parts() == parts);
    for (int step = 0; step < 2; ++step) {
      for (int part = 0; part < parts; ++part) {
        memory.Backward(part);
        for (const int bucket : {1, 0}) REQUIRE(sum.Take(bucket, part).ok());
      }
      const auto expected = static_cast<float>(parts * (parts - 1) / 2);
      CHECK(memory.buckets[0][0] == expected);
      CHECK(memory.buckets[0][31] == expected);
      CHECK(memory.buckets[1][31] == expected + static_cast<float>(10 * parts));
    }
  }
}

TEST_CASE("one part is left as it is, without memory for sums") {
  Memory memory;
  auto sum = GradientSum::Create({absl::MakeSpan(memory.buckets[0])}, {}, 1,
                                 kernels::CpuKernels(), {});
  REQUIRE(sum.ok());
  memory.Backward(7);
  REQUIRE(sum->Take(0, 0).ok());
  CHECK(memory.buckets[0][3] == 7);
}

}  // namespace
}  // namespace rm::trainer
