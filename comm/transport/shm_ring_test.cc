#include "comm/transport/shm_ring.h"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/random.h"

namespace rm::comm {
namespace {

// A ring as two processes have it: two mappings of one memory.
struct Pair {
  Pair() {
    auto memory = CreateShmRing();
    REQUIRE(memory.ok());
    head = reinterpret_cast<ShmRingHead*>(memory->head());
    auto peers = AdoptShmRing(Descriptor(::dup(memory->fd())));
    REQUIRE(peers.ok());
    auto made = SharedDoorbell::Create();
    REQUIRE(made.ok());
    bell = std::make_shared<SharedDoorbell>(*std::move(made));
    writer = std::make_unique<ShmRingWriter>(*std::move(peers));
    reader = std::make_unique<ShmRingReader>(*std::move(memory), bell);
  }

  void Write(const std::string& text) {
    writer->Append(text);
    writer->Publish();
  }

  std::string Read(size_t bytes) {
    std::string text(reader->Peek(), bytes);
    reader->Release(reader->Take(bytes));
    return text;
  }

  ShmRingHead* head = nullptr;  // as a peer could write to it
  std::shared_ptr<SharedDoorbell> bell;
  std::unique_ptr<ShmRingWriter> writer;
  std::unique_ptr<ShmRingReader> reader;
};

TEST_CASE("bytes come out as they went in, once they are published") {
  Pair ring;
  CHECK(*ring.reader->Readable() == 0);
  ring.writer->Append(absl::string_view("hello, "));
  CHECK(*ring.reader->Readable() == 0);
  ring.Write("world");
  CHECK(*ring.reader->Readable() == 12);
  CHECK(ring.Read(12) == "hello, world");
  CHECK(*ring.reader->Readable() == 0);
  CHECK(*ring.writer->Room() == kShmRingBytes);
}

TEST_CASE("a full ring has no room until the reader gives some back") {
  Pair ring;
  ring.Write(std::string(kShmRingBytes, 'f'));
  CHECK(*ring.writer->Room() == 0);
  CHECK(*ring.reader->Readable() == kShmRingBytes);
  const uint64_t place = ring.reader->Take(100);
  CHECK(*ring.writer->Room() == 0);  // taken, and still being read
  ring.reader->Release(place);
  CHECK(*ring.writer->Room() == 100);
}

TEST_CASE("loans may come back in any order") {
  Pair ring;
  ring.Write(std::string(300, 'l'));
  const uint64_t first = ring.reader->Take(100);
  const uint64_t second = ring.reader->Take(100);
  const uint64_t third = ring.reader->Take(100);
  ring.reader->Release(second);
  CHECK(*ring.writer->Room() == kShmRingBytes - 300);
  ring.reader->Release(first);
  CHECK(*ring.writer->Room() == kShmRingBytes - 100);
  ring.reader->Release(third);
  CHECK(*ring.writer->Room() == kShmRingBytes);
}

TEST_CASE("the sender is rung for room only when it has asked for it") {
  Pair ring;
  ring.Write("some bytes");
  const uint32_t seen = ring.bell->bell().rings();
  static_cast<void>(ring.Read(4));
  CHECK(ring.bell->bell().rings() == seen);
  CHECK(*ring.writer->RoomAfterNote() == kShmRingBytes - 6);
  static_cast<void>(ring.Read(3));
  CHECK(ring.bell->bell().rings() == seen + 1);
  static_cast<void>(ring.Read(3));
  CHECK(ring.bell->bell().rings() == seen + 1);  // a note is good for one ring
}

TEST_CASE("counts that cannot be are damage, on both sides") {
  Pair ring;
  ring.Write("0123456789");
  static_cast<void>(ring.Read(5));
  ring.head->written = 3;  // less than was taken
  CHECK(absl::IsDataLoss(ring.reader->Readable().status()));
  ring.head->written = 6 + kShmRingBytes;  // more than it holds
  CHECK(absl::IsDataLoss(ring.reader->Readable().status()));
  ring.head->released = 11;  // more than was written
  CHECK(absl::IsDataLoss(ring.writer->Room().status()));
  ring.head->released = 10;
  CHECK(*ring.writer->Room() == kShmRingBytes);
}

TEST_CASE("alignment goes on to the next line") {
  Pair ring;
  ring.writer->Append(absl::string_view("abc"));
  ring.writer->Align();
  ring.Write("def");
  CHECK(*ring.reader->Readable() == base::kCacheLineBytes + 3);
  static_cast<void>(ring.Read(base::kCacheLineBytes));
  CHECK(ring.Read(3) == "def");
  CHECK(ShmAligned(0) == 0);
  CHECK(ShmAligned(64) == 64);
  CHECK(ShmAligned(65) == 128);
}

TEST_CASE("a stream of odd pieces goes many times around, whole, between two threads") {
  Pair ring;
  auto made = SharedDoorbell::Create();
  REQUIRE(made.ok());
  const SharedDoorbell receiver = *std::move(made);
  constexpr uint64_t kTotal = 9 * kShmRingBytes + 12345;
  const auto byte_at = [](uint64_t i) { return static_cast<char>(i * 7 + i / 1000); };
  std::thread sender([&] {
    base::RandomStream random(1, base::StableHash("shm_ring_test.pieces"));
    uint64_t sent = 0;
    while (sent < kTotal) {
      std::string piece(std::min<uint64_t>(1 + random.NextBelow(300000), kTotal - sent), '\0');
      for (size_t i = 0; i < piece.size(); ++i) piece[i] = byte_at(sent + i);
      while (true) {
        const uint32_t seen = ring.bell->bell().rings();
        if (*ring.writer->Room() >= piece.size()) break;
        if (*ring.writer->RoomAfterNote() >= piece.size()) break;
        ring.bell->bell().Wait(seen, absl::InfiniteFuture());
      }
      ring.Write(piece);
      receiver.bell().Ring();
      sent += piece.size();
    }
  });
  uint64_t received = 0;
  size_t wrong = 0;
  while (received < kTotal) {
    const uint32_t seen = receiver.bell().rings();
    const size_t bytes = *ring.reader->Readable();
    if (bytes == 0) receiver.bell().Wait(seen, absl::InfiniteFuture());
    const std::string piece = ring.Read(bytes);
    for (size_t i = 0; i < bytes; ++i) wrong += piece[i] != byte_at(received + i) ? size_t{1} : size_t{0};
    received += bytes;
  }
  sender.join();
  CHECK(wrong == 0);
}

}  // namespace
}  // namespace rm::comm
