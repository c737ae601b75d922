// Collectives of ranks that read each other's memory (comm/transport/shared_windows.h): nothing is
// sent, every byte is read where it lies.
//
// Every operation begins with a meeting: each rank notes what it is about to do, counts `entered` up,
// and goes on when all others have entered the same. There are two notes and two slots in turn: a
// rank that writes those of operation k+2 has seen everybody in k+1, so that nobody reads k any more.
//
// Small ones take nothing else: what a rank has lies in its slot when it enters, and it reads all
// slots when all have.
//
// Large ones, a bucket at a time: it is cut into one chunk a rank (ChunkOf), as in the ring. When all
// ranks have entered, each adds its own chunk, reading the others' parts of it, and counts the
// segments it has `reduced`; the others copy them as they come. A rank is `finished` when it has all;
// a bucket may be written again when all are (Flush).
//
//   bytes a rank moves for S: reads (n−1)/n · S of others to add, and (n−1)/n · S to copy
//
// Adding: in rank order, or in exact mode along the tree of shard_tree.h. Every chunk is added by one
// rank and copied by the others: the same bits everywhere.
//
// Every rank calls the same operations in the same order; ranks that do not are told so.
#ifndef RM_COMM_COLLECTIVE_DIRECT_COLLECTIVES_H_
#define RM_COMM_COLLECTIVE_DIRECT_COLLECTIVES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "comm/collective/direct_sum.h"
#include "comm/collective/float_buckets.h"
#include "comm/collective/ring_edges.h"
#include "comm/transport/transport.h"

namespace rm::comm {

// What a rank puts into a slot at most.
constexpr size_t kDirectSlotBytes = size_t{32} << 10;

// One thread at a time. A failure is the transport's, and stays.
class DirectCollectives {
 public:
  // `transport` outlives this. REQUIRES: its windows are of the whole gang, on every rank of it.
  [[nodiscard]] static absl::StatusOr<std::unique_ptr<DirectCollectives>> Open(
      Transport& transport);

  // As Communicator::AllocateBuckets, and with `shards` > 0 as AllocateShardBuckets: then bucket i is
  // spans()[i · s … (i + 1) · s), s the number of this rank's sums. Once. The memory is the windows'.
  [[nodiscard]] absl::Status AllocateBuckets(absl::Span<const int64_t> elements, int shards);
  [[nodiscard]] const std::vector<absl::Span<float>>& spans() const { return own_.spans(); }

  // Sums a bucket over all ranks, in place; the result may be read at once, and be written over after
  // Flush. Blocking.
  [[nodiscard]] absl::Status AllReduce(const CollectiveId& id, int bucket);

  // Sums values over all ranks, in rank order; none: a barrier. Blocking.
  // REQUIRES: they fit into a slot.
  [[nodiscard]] absl::Status Sum(const CollectiveId& id, absl::Span<double> values);

  // Returns when all ranks have come to an operation of so many bytes, which goes on elsewhere.
  [[nodiscard]] absl::Status Meet(const CollectiveId& id, size_t bytes);

  // Returns when no rank reads this rank's buckets any more.
  [[nodiscard]] absl::Status Flush();

  // Payload bytes read from other ranks; as many are read from this one. Thread-safe.
  [[nodiscard]] int64_t bytes_read() const { return bytes_read_; }

 private:
  // At the beginning of window 0 of each rank, in cache lines of their own: written by that rank only.
  // All zero is nothing done.
  struct Note {
    std::atomic<uint64_t> kind{0};
    std::atomic<uint64_t> ordinal{0};
    std::atomic<uint64_t> bytes{0};
  };
  struct Counts {
    alignas(64) std::atomic<uint64_t> entered{0};   // operations
    Note notes[2];                                  // of the latest two
    alignas(64) std::atomic<uint64_t> reduced{0};   // segments added, over all buckets
    alignas(64) std::atomic<uint64_t> finished{0};  // buckets done
  };

  // A rank's side: this rank's own, or a peer's, mapped at the first use.
  struct Side {
    const Counts* counts = nullptr;
    const char* slots = nullptr;
    size_t sums = 1;                    // it has for each bucket
    std::vector<const float*> buckets;  // in the order of its spans: sums of a bucket side by side
    uint64_t segments_before = 0;       // that it had reduced before the bucket in hand
    int64_t segments = 0;               // of its chunk of the bucket in hand
    int64_t copied = 0;                 // of them, by this rank
  };

  DirectCollectives(Transport& transport, absl::Span<char> control);

  [[nodiscard]] absl::Status FindSlots();
  [[nodiscard]] absl::Status FindBuckets();
  // Waits until that count of every rank is at least so much.
  [[nodiscard]] absl::Status AwaitAll(std::atomic<uint64_t> Counts::*count, uint64_t least);
  // Sets this rank's, and rings.
  void Publish(std::atomic<uint64_t> Counts::*count, uint64_t value);

  // As Meet, with this rank's slot written before and all slots in SlotOf afterwards.
  [[nodiscard]] absl::Status Exchange(const CollectiveId& id, absl::Span<const char> bytes);
  [[nodiscard]] const char* SlotOf(size_t rank) const;
  [[nodiscard]] absl::Status AllReduceSlots(const CollectiveId& id, size_t bucket);

  [[nodiscard]] absl::Status AllReduceChunks(const CollectiveId& id, size_t bucket);
  void BeginCopies(int64_t elements);
  void ReduceOwnChunk(size_t bucket);
  // Copies what is there; true when all is.
  [[nodiscard]] bool CopyReady(size_t bucket);

  // Of the sums that a rank has for each bucket the last one is where the result ends.
  [[nodiscard]] std::vector<Subtree> SubtreesOf(size_t rank) const;
  [[nodiscard]] size_t ResultOf(size_t rank, size_t bucket) const {
    return (bucket + 1) * sides_[rank].sums - 1;
  }
  [[nodiscard]] std::vector<int64_t> SpansOf(size_t rank) const;

  Transport& transport_;
  SharedWindows& windows_;
  const size_t rank_;
  const size_t world_size_;
  Counts& counts_;
  char* const slots_;
  std::vector<Side> sides_;  // by rank, this one included
  bool slots_found_ = false;
  bool buckets_found_ = false;

  std::vector<int64_t> elements_;  // by bucket
  int shards_ = 0;                 // 0: fast mode
  FloatBuckets own_;
  std::vector<std::vector<DirectOperand>> operands_;  // by bucket
  DirectSum sum_;

  uint64_t entered_ = 0;  // operations, by this rank
  uint64_t started_ = 0;  // of them buckets in chunks
  std::atomic<int64_t> bytes_read_{0};
};

}  // namespace rm::comm

#endif  // RM_COMM_COLLECTIVE_DIRECT_COLLECTIVES_H_
