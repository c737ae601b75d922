#include "runtime/graph/aligned_memory.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdint>
#include <utility>

namespace rm::graph {
namespace {

TEST_CASE("memory is zeroed and aligned, at any size", "[aligned_memory]") {
  for (size_t bytes : {size_t{0}, size_t{1}, size_t{64}, size_t{65}, (size_t{2} << 20) - 1,
                       size_t{2} << 20, (size_t{4} << 20) + 3}) {
    INFO(bytes << " bytes");
    auto memory = AlignedMemory::Allocate(bytes);
    REQUIRE(memory.status() == absl::OkStatus());
    REQUIRE(memory->data() != nullptr);
    CHECK(reinterpret_cast<uintptr_t>(memory->data()) % 64 == 0);
    CHECK(std::all_of(memory->data(), memory->data() + bytes, [](char c) { return c == 0; }));
    std::fill_n(memory->data(), bytes, 'x');
  }
}

TEST_CASE("memory moves with its owner", "[aligned_memory]") {
  AlignedMemory a = AlignedMemory::Allocate(100).value();
  char* data = a.data();
  const AlignedMemory b = std::move(a);
  CHECK(b.data() == data);
  CHECK(AlignedMemory().data() == nullptr);
}

TEST_CASE("more memory than the machine has is refused", "[aligned_memory]") {
  CHECK(AlignedMemory::Allocate(size_t{1} << 60).status() ==
        absl::ResourceExhaustedError("no memory for 1 EiB: that is more than the machine has"));
}

}  // namespace
}  // namespace rm::graph
