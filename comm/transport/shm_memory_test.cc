#include "comm/transport/shm_memory.h"

#include <catch2/catch.hpp>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <utility>

namespace rm::comm {
namespace {

constexpr size_t kHead = kShmPageBytes;
constexpr size_t kBody = 4 * kShmPageBytes;

TEST_CASE("new memory is zeroed, and its body lies there twice") {
  const auto memory = ShmMemory::Create(kHead, kBody);
  REQUIRE(memory.ok());
  REQUIRE(memory->body() == memory->head() + kHead);
  CHECK(memory->head()[kHead - 1] == 0);
  memory->body()[0] = 'a';
  memory->body()[kBody - 1] = 'b';
  CHECK(memory->body()[kBody] == 'a');
  CHECK(memory->body()[2 * kBody - 1] == 'b');
  std::memcpy(memory->body() + kBody - 2, "wrap", 4);
  CHECK(std::string(memory->body(), 2) == "ap");
}

TEST_CASE("a second mapping sees what the first one writes") {
  const auto memory = ShmMemory::Create(kHead, kBody);
  REQUIRE(memory.ok());
  const auto peers = ShmMemory::Adopt(Descriptor(::dup(memory->fd())), kHead, kBody);
  REQUIRE(peers.ok());
  CHECK(peers->head() != memory->head());
  memory->head()[7] = 'h';
  memory->body()[9] = 'x';
  CHECK(peers->head()[7] == 'h');
  CHECK(peers->body()[9 + kBody] == 'x');
}

TEST_CASE("memory without a body is a head alone") {
  auto memory = ShmMemory::Create(kHead, 0);
  REQUIRE(memory.ok());
  const ShmMemory moved = *std::move(memory);
  moved.head()[0] = 1;
  CHECK(moved.body_bytes() == 0);
}

TEST_CASE("memory of another size is refused, and so is memory that can shrink") {
  const auto memory = ShmMemory::Create(kHead, kBody);
  REQUIRE(memory.ok());
  CHECK(absl::IsDataLoss(
      ShmMemory::Adopt(Descriptor(::dup(memory->fd())), kHead, 2 * kBody).status()));
  CHECK(absl::IsDataLoss(ShmMemory::Adopt(Descriptor(), kHead, kBody).status()));
  const int unsealed = ::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  REQUIRE(::ftruncate(unsealed, kHead + kBody) == 0);
  const absl::Status refused = ShmMemory::Adopt(Descriptor(unsealed), kHead, kBody).status();
  CHECK_THAT(std::string(refused.message()), Catch::Contains("not sealed"));
}

TEST_CASE("what is sealed cannot be shrunk by whoever has it") {
  const auto memory = ShmMemory::Create(kHead, kBody);
  REQUIRE(memory.ok());
  CHECK(::ftruncate(memory->fd(), 0) != 0);
}

}  // namespace
}  // namespace rm::comm
