// A ring of bytes in shared memory: one process writes, one reads.
//
//   head: written, released, sender_waits      body: kShmRingBytes
//
// Invariants, in bytes since the beginning, never wrapped:
//   1. released ≤ written ≤ released + kShmRingBytes.
//   2. The writer alone changes `written`, the reader alone `released`.
//   3. Bytes between the two belong to the reader, all others to the writer.
// Each side keeps its own count to itself and only publishes it: what the other side writes there
// changes nothing. What it reads of the other's is checked against 1.
//
// Memory order: bytes first, then the count that publishes them (release), and the other way round
// for whoever looks (acquire). A writer that finds no room leaves a note (sender_waits) and looks
// once more; a reader publishes and then looks for a note: one of the two sees the other.
#ifndef RM_COMM_TRANSPORT_SHM_RING_H_
#define RM_COMM_TRANSPORT_SHM_RING_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "base/alignment.h"
#include "base/mutex.h"
#include "comm/transport/shm_doorbell.h"
#include "comm/transport/shm_memory.h"

namespace rm::comm {

// Room for three segments of a ring allreduce (one being added, two on their way), or for two of the
// broadcast's with their headers; more does not stay in a core's cache.
constexpr size_t kShmRingBytes = (size_t{2} << 20) + kShmPageBytes;

// What begins in the ring begins on a cache line: sums then read whole, aligned vectors.
[[nodiscard]] constexpr size_t ShmAligned(size_t bytes) {
  return base::RoundUp(bytes, base::kCacheLineBytes);
}

// The memory of a ring, made by the receiving rank; and as the sending rank gets it.
[[nodiscard]] absl::StatusOr<ShmMemory> CreateShmRing();
[[nodiscard]] absl::StatusOr<ShmMemory> AdoptShmRing(Descriptor fd);

// What lies in the head, each in a cache line of its own.
struct ShmRingHead {
  alignas(64) std::atomic<uint64_t> written{0};
  alignas(64) std::atomic<uint64_t> released{0};
  alignas(64) std::atomic<uint32_t> sender_waits{0};
};

// The sending side. Thread-compatible.
class ShmRingWriter {
 public:
  explicit ShmRingWriter(ShmMemory memory) : memory_(std::move(memory)) {}

  // Bytes that may be appended now. DataLoss when the peer's count makes no sense.
  [[nodiscard]] absl::StatusOr<size_t> Room() const;

  // As Room, when it was not enough: the reader will ring as soon as it has released something.
  [[nodiscard]] absl::StatusOr<size_t> RoomAfterNote() const;

  // Copies bytes behind the last ones; the reader sees them after Publish.
  // REQUIRES: there is room.
  void Append(absl::Span<const char> bytes);
  // Leaves a place for bytes that are written before Publish. REQUIRES: there is room.
  [[nodiscard]] char* Leave(size_t bytes);
  // Goes on to the next cache line.
  void Align() { appended_ = ShmAligned(appended_); }
  void Publish() { Head().written.store(appended_); }

 private:
  [[nodiscard]] ShmRingHead& Head() const {
    return *reinterpret_cast<ShmRingHead*>(memory_.head());
  }

  ShmMemory memory_;
  uint64_t appended_ = 0;
};

// The receiving side. Release is thread-safe, the others are for one thread at a time.
class ShmRingReader {
 public:
  // Rings `sender` when it waits for room.
  ShmRingReader(ShmMemory memory, std::shared_ptr<const SharedDoorbell> sender)
      : memory_(std::move(memory)), sender_(std::move(sender)) {}

  // Bytes that have come and are not taken. DataLoss when the peer's count makes no sense.
  [[nodiscard]] absl::StatusOr<size_t> Readable() const;

  // The first of those bytes; all of them lie in one piece.
  [[nodiscard]] const char* Peek() const { return memory_.body() + taken_ % kShmRingBytes; }

  // Takes bytes: they stay as they are until Release of the place returned. REQUIRES: readable.
  [[nodiscard]] uint64_t Take(size_t bytes);

  // Gives the bytes of one Take back. In any order; their room is the sender's again when those
  // before them are given back too.
  void Release(uint64_t place);

 private:
  // What one Take got: ends at `end`.
  struct Loan {
    uint64_t end = 0;
    bool returned = false;
  };

  [[nodiscard]] ShmRingHead& Head() const {
    return *reinterpret_cast<ShmRingHead*>(memory_.head());
  }

  ShmMemory memory_;
  const std::shared_ptr<const SharedDoorbell> sender_;  // shared with the edge that made the reader
  uint64_t taken_ = 0;
  mutable base::Mutex mutex_;
  std::deque<Loan> loans_ ABSL_GUARDED_BY(mutex_);
  uint64_t released_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_SHM_RING_H_
